"""Which series a model is given, and what is to be said about that before it runs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from medview.core.errors import ModelError
from medview.core.registration import Registration
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.io.reader_pool import Pool
from medview.ml.inputs.candidate import Candidate, candidate_of
from medview.ml.inputs.checks import remarks_on_headers, remarks_on_values
from medview.ml.inputs.placing import Ground, Place, none_chosen, place_beside, remark_on, two_patients, why_elsewhere
from medview.ml.inputs.roles import Role, propose
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.registry import Fit, fits
from medview.workspace.fusion import registration_between, same_patient
from medview.workspace.input_preparation import ChannelInput, Preparation

Registrations = Mapping[tuple[str, str], Registration]
"""By the keys of the case that stays and of the one that is moved."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A series a model can be given.

    Attributes
    ----------
    volume : Volume or None
        None where it is not open.
    problem : str
        Why it cannot be given now, or empty.
    """

    key: str
    series: Series
    entry: VolumeEntry
    candidate: Candidate
    volume: Volume | None = None
    problem: str = ""


def given_of(key: str, series: Series, entry: VolumeEntry, volume: Volume | None = None, problem: str = "") -> Given | None:
    """Return a series as something a model can be given; None where it cannot be read."""
    found = candidate_of(key, series, entry)
    if found is not None and volume is not None:
        # What was read knows best.
        found = replace(found, geometry=volume.geometry, modality=volume.modality, unit=volume.unit, colour=volume.colour)
    return None if found is None else Given(key, series, entry, found, volume, problem)


@dataclass(frozen=True, slots=True, eq=False)
class ModelInputs:
    """A model and the series it is to be given, channel by channel. A correction makes another value.

    Attributes
    ----------
    given : tuple of Given
        What there is to choose from.
    roles : tuple of Role
        As proposed, one for each channel.
    chosen : tuple of str
        Keys, one for each channel; empty where none is chosen.
    reference : int
        Number of the channel on whose grid the result lies.
    registrations : mapping
    """

    pack: ModelPack
    given: tuple[Given, ...]
    roles: tuple[Role, ...]
    chosen: tuple[str, ...]
    pool: Pool
    reference: int = 0
    registrations: Registrations = field(default_factory=dict)

    @classmethod
    def proposed(
        cls,
        pack: ModelPack,
        given: tuple[Given, ...],
        pool: Pool,
        looked_at: str = "",
        registrations: Registrations | None = None,
    ) -> ModelInputs:
        """Return what the headers propose; a model of one series is given the one that is looked at."""
        channels = pack.spec.input.channels
        if not pack.spec.input.several:
            roles: tuple[Role, ...] = (Role(channels[0].name, looked_at, sure=True),)
        else:
            roles = propose(channels, [one.candidate for one in given], looked_at)
        return cls(pack, given, roles, tuple(role.key for role in roles), pool, 0, registrations or {})

    @property
    def several(self) -> bool:
        """Whether the model has more than one channel."""
        return len(self.chosen) > 1

    def of(self, channel: int) -> Given | None:
        """Return the series chosen for a channel."""
        return next((one for one in self.given if one.key == self.chosen[channel]), None)

    def name(self, channel: int) -> str:
        """Return what a channel is called."""
        return self.pack.spec.input.channels[channel].name

    def fit(self, channel: int, one: Given) -> Fit:
        """Say whether a series can be a channel at all."""
        seen = one.candidate
        return fits(self.pack.spec, seen.modality, seen.geometry, seen.unit, seen.colour, channel)

    def options(self, channel: int) -> tuple[Given, ...]:
        """Return the series that can be a channel, proposed and rivals first."""
        role = self.roles[channel]
        first = {key: n for n, key in enumerate((role.key, *role.rivals))}
        able = [one for one in self.given if self.fit(channel, one).ok]
        return tuple(sorted(able, key=lambda one: first.get(one.key, len(first))))

    def with_channel(self, channel: int, key: str) -> ModelInputs:
        """Return the choice with another series for a channel; a channel that had it gets the other one's."""
        before = self.chosen[channel]
        swapped = [before if one == key and key else one for one in self.chosen]
        swapped[channel] = key
        return replace(self, chosen=tuple(swapped))

    def confirmed(self, chosen: tuple[str, ...], reference: int) -> ModelInputs:
        """Return the choice a person made before, which leaves nothing to doubt."""
        roles = tuple(Role(role.channel, key, sure=True) for role, key in zip(self.roles, chosen, strict=True))
        return replace(self, roles=roles, chosen=chosen, reference=reference)

    def with_reference(self, channel: int) -> ModelInputs:
        """Return the choice with the result on the grid of another channel."""
        return replace(self, reference=channel)

    def without_volumes(self) -> ModelInputs:
        """Return the choice holding no voxels, so that it may be kept."""
        return replace(self, given=tuple(replace(one, volume=None) for one in self.given))

    def sure(self, channel: int) -> bool:
        """Whether what is chosen is what was proposed without rivals, or somebody's own choice."""
        role = self.roles[channel]
        return bool(self.chosen[channel]) and (role.sure or self.chosen[channel] != role.key)

    @property
    def ambiguous(self) -> tuple[int, ...]:
        """Numbers of channels for which several series are as likely, or none is proposed."""
        return tuple(n for n in range(len(self.chosen)) if not self.sure(n))

    def place(self, channel: int) -> Place | None:
        """Return where the series of a channel lies beside the reference; None while one of them is not chosen."""
        base, one = self.of(self.reference), self.of(channel)
        if base is None or one is None:
            return None
        return place_beside(base.candidate.geometry, one.candidate.geometry, self._registration(base, one))

    def problem_of(self, channel: int) -> str:
        """Return why a channel keeps the model from running, or an empty text."""
        one, base = self.of(channel), self.of(self.reference)
        name = self.name(channel)
        if one is None:
            return none_chosen(name)
        fit = self.fit(channel, one)
        if not fit.ok:
            return fit.reason
        if one.problem:
            return one.problem
        if base is None or base is one:
            return ""
        if not same_patient(base.series, one.series):
            return two_patients(name, self.name(self.reference))
        place = self.place(channel)
        if place is not None and place.ground is Ground.ELSEWHERE:
            return why_elsewhere(name, self.name(self.reference))
        return ""

    @property
    def problem(self) -> str:
        """Why the model cannot run on this, or an empty text."""
        return next((text for n in range(len(self.chosen)) if (text := self.problem_of(n))), "")

    def remarks_of(self, channel: int) -> tuple[str, ...]:
        """Return what is to be said of the series of a channel: a person may pass over it, and it stays with the result."""
        one = self.of(channel)
        if one is None:
            return ()
        # What is true of all channels is said of the first.
        before = [b for n in range(channel) if (b := self.of(n)) is not None]
        said = {text for n, b in enumerate(before) for text in remarks_on_headers(self.pack.spec, n, b.candidate)}
        found = [text for text in remarks_on_headers(self.pack.spec, channel, one.candidate) if text not in said]
        if one.volume is not None and not one.problem:
            found += remarks_on_values(self.pack.spec, channel, one.volume)
        base, place = self.of(self.reference), self.place(channel)
        if place is not None and base is not None and base is not one:
            registration = self._registration(base, one)
            found += [remark_on(place, self.name(channel), self.name(self.reference), registration)]
        return tuple(sentence for sentence in found if sentence)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Everything to be said, with the channel's name where there are several."""
        named = []
        for n in range(len(self.chosen)):
            for sentence in self.remarks_of(n):
                own = not self.several or sentence.startswith(f"{self.name(n)} ")
                named.append(sentence if own else f"{self.name(n)}: {sentence}")
        return tuple(named)

    @property
    def wants_a_look(self) -> bool:
        """Whether a person ought to see this before the model runs."""
        return self.several or bool(self.problem) or bool(self.remarks)

    def request(self, device: str = "auto", job_id: str = "") -> PredictRequest | Preparation:
        """Return the request for a prediction, or what makes it in the job where series are to be read or resampled.

        Raises
        ------
        ModelError
            With what is in the way.
        """
        if self.problem:
            raise ModelError(self.problem)
        job = job_id or uuid.uuid4().hex
        chosen = [one for n in range(len(self.chosen)) if (one := self.of(n)) is not None]
        if not self.several and chosen[0].volume is not None:
            return PredictRequest(chosen[0].volume, self.pack, device, job, remarks=self.remarks)
        channels = tuple(self._channel(n, one) for n, one in enumerate(chosen))
        return Preparation(self.pack, channels, self.reference, device, job, self.pool, self.remarks)

    def _channel(self, channel: int, one: Given) -> ChannelInput:
        place = self.place(channel)
        assert place is not None
        assert place.geometry is not None
        resampled = place.ground is not Ground.SAME_GRID
        return ChannelInput(self.name(channel), one.series, one.entry, one.volume, place.geometry, resampled)

    def _registration(self, base: Given, one: Given) -> Registration | None:
        fixed, moving = (base.key, base.candidate.geometry), (one.key, one.candidate.geometry)
        return registration_between(self.registrations, fixed, moving)
