"""Run with nnU-Net's own networks on the path: writes weights, an input and the answers of both of its U-Nets.

``python nnunet_judge.py OUT``; the weights have nnU-Net's names, copies included, as its checkpoints hold them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn

KERNELS = ((1, 3, 3), (3, 3, 3), (3, 3, 3))
STRIDES = ((1, 1, 1), (1, 2, 2), (2, 2, 2))


def main(out: Path) -> None:
    from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet

    for name, kind, units in (("plain", PlainConvUNet, (2, 2, 2)), ("residual", ResidualEncoderUNet, (1, 3, 4))):
        for flat in (False, True):
            torch.manual_seed(3)
            network = kind(
                2,
                3,
                (4, 8, 8),
                nn.Conv2d if flat else nn.Conv3d,
                [k[1:] for k in KERNELS] if flat else KERNELS,
                [s[1:] for s in STRIDES] if flat else STRIDES,
                units,
                3,
                (2, 1),
                True,
                nn.InstanceNorm2d if flat else nn.InstanceNorm3d,
                {"eps": 1e-5, "affine": True},
                None,
                None,
                nn.LeakyReLU,
                {"inplace": True},
                True,
            ).eval()
            for weights in network.parameters():
                nn.init.normal_(weights, std=0.3)
            volume = torch.randn(2, 2, 16, 24) if flat else torch.randn(2, 2, 8, 16, 24)
            network.decoder.deep_supervision = False
            with torch.no_grad():
                answer = network(volume)
            found = {"state": network.state_dict(), "volume": volume, "answer": answer}
            torch.save(found, out / f"{name}-{'2d' if flat else '3d'}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
