"""What of a proposal's boxes and scores is shown, and what accepting it adds to the annotations."""

from __future__ import annotations

from medview.core.annotations import Annotation, BoxAnnotation, ImageLabel
from medview.core.key_image import KeyImage
from medview.core.prediction import Prediction, Proposal
from medview.core.scores import Said, ScoreRule
from medview.workspace.drawn import on_image
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import CaseView


def least_score(view: CaseView, proposal: Proposal) -> float:
    """Return the score below which boxes of a proposal are hidden."""
    return view.least_scores.get(proposal.model_id, 0.0)


def shown_boxes(case: OpenCase, proposal: Proposal) -> list[BoxAnnotation]:
    """Return the boxes of a proposal that are not hidden, surest first; hidden ones are part of it all the same."""
    least = least_score(case.view, proposal)
    shown = [box for box in proposal.prediction.boxes if box.score is None or box.score >= least]
    return sorted(shown, key=lambda box: -(box.score if box.score is not None else 1.0))


def placed_box(case: OpenCase, box: BoxAnnotation) -> BoxAnnotation:
    """Return a box as it enters the annotations: a flat one on the image it lies on."""
    if box.flat_edge is None or box.sop_instance_uid:
        return box
    # What a model looked at: the first time point.
    placed = on_image(case, box, 0)
    return placed if isinstance(placed, BoxAnnotation) else box


def annotations_of(case: OpenCase, proposal: Proposal) -> list[Annotation]:
    """Return what accepting all of a proposal adds beside its mask: the boxes shown, and statements."""
    boxes = [placed_box(case, box) for box in shown_boxes(case, proposal)]
    return [*boxes, *image_labels(case, proposal.prediction)]


def image_labels(case: OpenCase, prediction: Prediction) -> list[ImageLabel]:
    """Return what a classifier's scores state: of the study or series for each class, and of each slice that has one.

    A model that is asked about slices speaks of those on which a class is present; the others are not listed.
    """
    job, source = prediction.source.job_id, prediction.source
    rule = prediction.score_rule or ScoreRule()
    told = {name: said.value for name, said in rule.says(prediction.scores).items()} if prediction.score_rule else {}
    subject = "study" if rule.subject == "study" else "series"
    found = [
        ImageLabel(f"{job}-{name}", name, probability, source, told.get(name, ""), subject)
        for name, probability in prediction.scores.items()
    ]
    slices = prediction.slice_scores
    if rule.subject != "slice" or slices is None:
        return found
    geometry = case.volume.geometry
    plane = next(p for p in case.layouts().values() if p.normal_axis == slices.axis)
    for index in range(plane.count(geometry)):
        scores = slices.at(index)
        present = [name for name, said in rule.says(scores).items() if said is Said.PRESENT]
        image = case.images.image(0, index) if slices.axis == 0 else ("", 0)
        place = KeyImage.of_slice("", plane, geometry, index, image)
        found += [
            ImageLabel(
                f"{job}-{name}-{index}",
                name,
                scores[name],
                source,
                Said.PRESENT.value,
                "slice",
                place.point_lps_mm,
                place.normal_lps,
                *image,
            )
            for name in present
        ]
    return found
