"""Names with a hash of the content, so that nginx may let browsers keep files for a year."""

from __future__ import annotations

from config.storage import HashedStaticFilesStorage


def test_modules_import_each_other_by_their_hashed_names():
    # Without it an old module would import a new one, or none.
    assert HashedStaticFilesStorage.support_js_module_import_aggregation
    assert HashedStaticFilesStorage.manifest_strict
