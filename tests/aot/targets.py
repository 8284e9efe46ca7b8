"""The machines that are compiled for, as meshes of devices that are only described."""

from functools import cache
from pathlib import Path

import jax
from jax.experimental import topologies
from jax.sharding import Mesh

TPUS = ["v5e:2x2", "v5e:16x16", "v5p:8x8x8", "v6e:4x4", "tpu7x:2x2x1"]
GPUS = {"1 H100": "1x1x1", "8 H100": "1x1x8", "32 H100": "1x4x8"}


@cache
def mesh_of(target: str) -> Mesh:
    """All devices of a target in one axis, `data`."""
    topology = _gpus(GPUS[target]) if target in GPUS else _tpus(target)
    return topologies.make_mesh(topology, (len(topology.devices),), ("data",))


def _tpus(name: str) -> topologies.TopologyDescription:
    return topologies.get_topology_desc(platform="tpu", topology_name=name)


def _gpus(name: str) -> topologies.TopologyDescription:
    config = Path(__file__).with_name("h100.txtpb").read_text()
    return topologies.get_topology_desc(
        platform="cuda", topology_name=name, topology=name, target_config=config
    )


def described(tree: object, mesh: Mesh, *axes: str) -> object:
    """Shapes and dtypes, with where they lie: split over `axes`, or on every device."""
    sharding = jax.NamedSharding(mesh, jax.P(*axes))
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), tree
    )
