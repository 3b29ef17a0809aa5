"""The contract of `Store` on what tasks hand to each other by id, for every store that there is."""

from dataclasses import replace

import pytest

from ghostos.core.asset import Asset, AssetRef
from ghostos.core.ids import new_id
from ghostos.core.variable import Variable
from ghostos.errors import NotGivenError, ThreadNotFoundError
from ghostos_common.codec import MAX_BYTES, EncodeError, Namespace, decode, encode

PLAIN = Namespace({})


@pytest.fixture
def variable(records):
    def make(task):
        return Variable(
            id=new_id(),
            task_id=task.id,
            type="dict",
            value={"a": [1, 2.5, None, True, "ü"]},
            description="what it is for",
            created_at=records.clock(),
        )

    return make


@pytest.fixture
def asset(records):
    def make(task):
        ref = AssetRef(id=new_id(), name="cat.png", sha256="0" * 64, media_type="image/png", size_bytes=2**33)
        return Asset(ref=ref, task_id=task.id, created_at=records.clock())

    return make


async def make_tasks(store, records, *names):
    return [await store.create_task(records.task(name)) for name in names]


async def test_a_value_comes_back_as_it_was_saved_to_whoever_opens_the_store(store_opener, records, variable):
    store = store_opener()
    (task,) = await make_tasks(store, records, "mine")
    saved = variable(task)
    await store.save_variable(saved)
    assert await store.get_variable(saved.id, task_id=task.id) == saved
    assert await store_opener().get_variable(saved.id, task_id=task.id) == saved


async def test_a_file_comes_back_as_it_was_saved(store, records, asset):
    (task,) = await make_tasks(store, records, "mine")
    saved = asset(task)
    await store.save_asset(saved)
    assert await store.get_asset(saved.ref.id, task_id=task.id) == saved


async def test_ids_count_for_nobody_else_until_they_are_given(store, records, variable, asset):
    mine, theirs, other = await make_tasks(store, records, "mine", "theirs", "other")
    value, file = variable(mine), asset(mine)
    await store.save_variable(value)
    await store.save_asset(file)
    for get, id, kind in ((store.get_variable, value.id, "variable"), (store.get_asset, file.ref.id, "asset")):
        with pytest.raises(NotGivenError, match=f"no {kind} with the id '{id}'"):
            await get(id, task_id=theirs.id)
        with pytest.raises(NotGivenError):
            await store.give(kind, id, task_id=theirs.id, to=theirs.id)
        await store.give(kind, id, task_id=mine.id, to=theirs.id)
        await store.give(kind, id, task_id=mine.id, to=theirs.id)
        assert (await get(id, task_id=theirs.id)).given_to == (theirs.id,)
        with pytest.raises(NotGivenError):
            await get(id, task_id=other.id)
        await store.give(kind, id, task_id=theirs.id, to=other.id)
        assert (await get(id, task_id=other.id)).given_to == (theirs.id, other.id)


async def test_what_is_not_there_and_what_was_not_given_look_alike(store, records, variable):
    mine, theirs = await make_tasks(store, records, "mine", "theirs")
    saved = variable(mine)
    await store.save_variable(saved)
    told = []
    for id in (saved.id, new_id()):
        with pytest.raises(NotGivenError) as caught:
            await store.get_variable(id, task_id=theirs.id)
        told.append(str(caught.value).replace(id, ""))
    assert told[0] == told[1]


async def test_an_id_of_one_kind_is_none_of_the_other(store, records, variable):
    (task,) = await make_tasks(store, records, "mine")
    saved = variable(task)
    await store.save_variable(saved)
    with pytest.raises(NotGivenError):
        await store.get_asset(saved.id, task_id=task.id)
    with pytest.raises(NotGivenError):
        await store.give("asset", saved.id, task_id=task.id, to=task.id)


async def test_a_fork_may_use_what_its_origin_may(store, records, variable):
    mine, theirs = await make_tasks(store, records, "mine", "theirs")
    fork = await store.create_task(replace(records.task("fork"), forked_from=theirs.id, fork_seq=1))
    second = await store.create_task(replace(records.task("second"), forked_from=fork.id, fork_seq=1))
    saved = variable(mine)
    await store.save_variable(saved)
    with pytest.raises(NotGivenError):
        await store.get_variable(saved.id, task_id=second.id)
    await store.give("variable", saved.id, task_id=mine.id, to=theirs.id)
    assert await store.get_variable(saved.id, task_id=second.id)
    await store.give("variable", saved.id, task_id=second.id, to=second.id)
    with pytest.raises(NotGivenError):
        await store.get_variable(saved.id, task_id=records.task("nobody").id)


async def test_a_task_that_is_not_stored_yet_may_be_given_to_but_has_nothing(store, records, variable):
    (mine,) = await make_tasks(store, records, "mine")
    later, saved = records.task("later"), variable(mine)
    with pytest.raises(ThreadNotFoundError):
        await store.save_variable(variable(later))
    await store.save_variable(saved)
    await store.give("variable", saved.id, task_id=mine.id, to=later.id)
    await store.create_task(later)
    assert (await store.get_variable(saved.id, task_id=later.id)).value == saved.value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        2**70,
        float("-inf"),
        b"\0\xff",
        {1: {2, 3}, (1,): None},
        {"$type": "set", "value": [1]},
        "half \udc80",
        "x" * (MAX_BYTES - 10),
    ],
    ids=lambda value: repr(value)[:20].encode("ascii", "backslashreplace").decode(),
)
async def test_values_of_python_survive_up_to_the_limits_of_the_codec(store, records, variable, value):
    (task,) = await make_tasks(store, records, "mine")
    saved = replace(variable(task), value=encode(value, PLAIN))
    await store.save_variable(saved)
    loaded = (await store.get_variable(saved.id, task_id=task.id)).value
    assert decode(loaded, PLAIN) == value
    with pytest.raises(EncodeError):
        encode([value, "x" * MAX_BYTES], PLAIN)


async def test_clearing_takes_them_with_the_tasks(store, records, variable, asset):
    (task,) = await make_tasks(store, records, "mine")
    value, file = variable(task), asset(task)
    await store.save_variable(value)
    await store.save_asset(file)
    await store.clear()
    with pytest.raises(NotGivenError):
        await store.get_variable(value.id, task_id=task.id)
    with pytest.raises(NotGivenError):
        await store.get_asset(file.ref.id, task_id=task.id)
