"""Parse MaterialX documents with its own library and generate shaders from them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import MaterialX.PyMaterialXCore as core
import MaterialX.PyMaterialXFormat as formats
import MaterialX.PyMaterialXGenGlsl as gen_glsl
import MaterialX.PyMaterialXGenMdl as gen_mdl
import MaterialX.PyMaterialXGenOsl as gen_osl
import MaterialX.PyMaterialXGenShader as gen_shader
from MaterialX import getDefaultDataLibraryFolders, getDefaultDataSearchPath

GENERATORS = {
    "glsl": gen_glsl.GlslShaderGenerator,
    "essl": gen_glsl.EsslShaderGenerator,
    "osl": gen_osl.OslShaderGenerator,
    "mdl": gen_mdl.MdlShaderGenerator,
}


@lru_cache(1)
def library() -> Any:
    """Load all standard node definitions."""
    document = core.createDocument()
    formats.loadLibraries(getDefaultDataLibraryFolders(), getDefaultDataSearchPath(), document)
    return document


def parse(content: bytes) -> Any:
    """Parse a file and give the document the standard library."""
    document = core.createDocument()
    formats.readFromXmlString(document, content.decode())
    document.setDataLibrary(library())
    return document


def generate(document: Any, target: str) -> Any:
    """Generate the shader of a document's only material, with lengths in metres.

    Args:
        document: the document.
        target: language of the shader, a key of GENERATORS.
    """
    generator = GENERATORS[target].create()
    context = gen_shader.GenContext(generator)
    context.registerSourceCodeSearchPath(getDefaultDataSearchPath())
    colours = gen_shader.DefaultColorManagementSystem.create(generator.getTarget())
    colours.loadLibrary(library())
    generator.setColorManagementSystem(colours)
    units, registry = gen_shader.UnitSystem.create(generator.getTarget()), core.UnitConverterRegistry.create()
    units.loadLibrary(library())
    distance = library().getUnitTypeDef("distance")
    registry.addUnitConverter(distance, core.LinearUnitConverter.create(distance))
    units.setUnitConverterRegistry(registry)
    generator.setUnitSystem(units)
    context.getOptions().targetDistanceUnit = "meter"
    context.getOptions().hwSrgbEncodeOutput = True
    (material,) = gen_shader.findRenderableElements(document)
    return generator.generate(material.getName(), material, context)


def uniforms(shader: Any) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """List the uniforms of a GLSL or ESSL shader by name: values with their type, and files of images."""
    values: dict[str, dict[str, Any]] = {}
    pictures: dict[str, str] = {}
    block = shader.getStage("pixel").getUniformBlock("PublicUniforms")
    for port in (block[k] for k in range(block.size())):
        kind, value = port.getType().getName(), port.getValue()
        if kind == "filename":
            pictures[port.getVariable()] = value.getValueString()
        elif value is not None:
            data = value.getData()
            values[port.getVariable()] = {"type": kind, "value": data.asTuple() if hasattr(data, "asTuple") else [data]}
    return values, pictures
