"""A champion's folder may hold others beside it."""

from models.store import _digests


def test_models_in_folders_below_are_no_part_of_the_digest(tmp_path):
    (tmp_path / "risk.txt").write_text("trees")
    alone = _digests(tmp_path)
    (tmp_path / "without" / "gp_events").mkdir(parents=True)
    (tmp_path / "without" / "gp_events" / "risk.txt").write_text("other trees")
    assert _digests(tmp_path) == alone
    (tmp_path / "risk.txt").write_text("changed")
    assert _digests(tmp_path) != alone
