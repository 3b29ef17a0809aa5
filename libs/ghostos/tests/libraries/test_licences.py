"""Libraries and documents, as they lie on this machine."""

from importlib.metadata import version

from ghostos.libraries.documents import list_documents
from ghostos.libraries.licences import list_libraries


def test_libraries_come_by_name_with_their_version_and_licence():
    libraries = {library.name: library for library in list_libraries()}
    assert list(libraries) == sorted(libraries, key=str.lower)
    assert libraries["pydantic"].version == version("pydantic")
    assert libraries["streamlit"].licence == "Apache-2.0"
    assert all(len(library.licence) < 70 for library in libraries.values())
    assert not [name for name in libraries if name.startswith("ghostos")]


def test_documents_of_a_clone_begin_with_its_readme():
    documents = list_documents()
    assert documents[0].path.name == "README.md"
    assert "security.md" in [document.path.name for document in documents]
    assert all(document.title for document in documents)
