"""Units of work on nodes: the processes at work in the workspace, and what is left of those that are dead."""

from sqlalchemy import Text, bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from ghostos.core.node import Node
from ghostos.core.task import Owner
from ghostos.drivers.store.owner import parse_owner
from ghostos.drivers.store.schema.tables import nodes, tasks
from ghostos.drivers.store.statements import DriverConnection, Statement

__all__ = ["bury_owner", "data_version", "drop_node", "list_nodes", "save_node"]

_insert = insert(nodes)
_save = Statement(
    _insert.on_conflict_do_update(
        index_elements=[nodes.c.id],
        set_={column: _insert.excluded[column] for column in ("address", "started_at", "seen_at")},
    )
)
_list = Statement(select(nodes).order_by(nodes.c.started_at, nodes.c.id))
_address = bindparam("address", type_=Text)
_drop = Statement(
    delete(nodes).where(nodes.c.id == bindparam("node_id"), nodes.c.address.is_not_distinct_from(_address))
)
_bury = Statement(delete(nodes).where(nodes.c.id == bindparam("node_id")))
_end_leases = Statement(
    update(tasks).where(tasks.c.lease_owner == bindparam("held_by")), columns=["lease_owner", "lease_until"]
)


def save_node(connection: DriverConnection, node: Node) -> None:
    """Write the row of a process; it has one, however many nodes are in it."""
    row = {
        "id": node.owner.key,
        "pid": node.owner.pid,
        "boot_id": node.owner.boot_id,
        "started": node.owner.started,
        "address": node.address,
        "started_at": node.started_at,
        "seen_at": node.seen_at,
    }
    _save.run(connection, row)


def list_nodes(connection: DriverConnection) -> list[Node]:
    """Return the rows, the oldest first."""
    return [
        Node(
            owner=parse_owner(row["id"]),
            address=row["address"],
            started_at=row["started_at"],
            seen_at=row["seen_at"],
        )
        for row in _list.mappings(connection, {})
    ]


def drop_node(connection: DriverConnection, owner: Owner, *, address: str | None) -> None:
    """Delete the row of a process, unless another node of it has written that."""
    _drop.run(connection, {"node_id": owner.key, "address": address})


def bury_owner(connection: DriverConnection, owner: Owner) -> None:
    """Delete the row of a dead process, and end its leases: its tasks are free, the rounds in flight are abandoned."""
    _bury.run(connection, {"node_id": owner.key})
    _end_leases.run(connection, {"held_by": owner.key, "lease_owner": None, "lease_until": None})


def data_version(connection: DriverConnection) -> int:
    """Return a number that is another one once another connection has committed."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
