"""The adapter folder, loaded by PEFT alone."""

import json
import re
import shutil

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from agent.errors import DataError, UsageError
from agent.export.adapter_folder import AdapterJob, export_adapter
from agent.learn.ledger import Ledger
from agent.policy.adapters import Adapters
from agent.policy.checkpoint import base_hash, load_checkpoint
from agent.store.reader import ZarrReader
from agent.store.run import open_run


@pytest.fixture
def job(point_run, point_checkpoint, tmp_path):
    return AdapterJob(point_run, open_run(point_run), tmp_path / "out", point_checkpoint)


def logits(vla):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(1, 5, 32, generator=generator)
    with torch.no_grad():
        return vla.language_model(inputs_embeds=hidden).logits


def test_plain_peft_loads_it_and_it_acts_as_it_does_here(job, point_checkpoint):
    export_adapter(job)
    bare = logits(load_checkpoint(point_checkpoint))
    theirs = PeftModel.from_pretrained(load_checkpoint(point_checkpoint), str(job.out))
    ours = load_checkpoint(point_checkpoint)
    adapters = Adapters(ours, base_hash(point_checkpoint))
    adapters.load(job.out, "exported")
    with adapters.use("exported"):
        wanted = logits(ours)
    torch.testing.assert_close(logits(theirs.base_model.model), wanted, rtol=0, atol=0)
    assert (wanted - bare).abs().max() > 1e-4


def test_it_is_the_adapter_that_acts_unless_another_is_named(job, point_run):
    export_adapter(job)
    ledger = Ledger(point_run)
    ledger.read()
    folder = ledger.folder(ledger.current)
    name = "adapter_model.safetensors"
    assert (job.out / name).read_bytes() == (folder / name).read_bytes()
    assert sorted(path.name for path in job.out.iterdir()) == [
        "MANIFEST.json", "README.md", "adapter_config.json", name
    ]  # fmt: skip


def test_the_card_tells_base_data_success_and_licence(job, point_run, point_checkpoint):
    export_adapter(AdapterJob(point_run, job.run, job.out, point_checkpoint, licence="mit"))
    told = (job.out / "README.md").read_text()
    assert told.startswith('---\nlibrary_name: peft\nlicense: "mit"\n')
    assert base_hash(point_checkpoint) in told
    ledger = Ledger(point_run)
    ledger.read()
    used = re.search(r"^Episodes used: (.*)$", told, re.M).group(1).split(", ")
    line = [
        report for report in ledger.reports if report.kept and report.number <= int(ledger.current)
    ]
    assert used == [episode for report in line for episode in report.episodes]
    verdicts = [row.verdict for row in ZarrReader(point_run).summaries() if row.id in used]
    assert f"{verdicts.count('success')} success" in told
    trials = json.loads((point_run / "evaluations" / "before-base.json").read_text())
    won = sum(trial["success"] for trial in trials)
    assert f"| base | held-out states, greedy | go-right | {won}/4 |" in told
    assert str(point_checkpoint) not in told


def test_the_intervals_of_the_card_are_wilsons(job):
    export_adapter(job)
    rows = re.findall(
        r"\| (\d+)/(\d+) \| \d+ % \| (\d+) to (\d+) % \|", (job.out / "README.md").read_text()
    )
    assert rows
    for won, tried, low, high in (map(int, row) for row in rows):
        # the roots of (p - won/tried)^2 = 1.96^2 p (1 - p) / tried, in percent
        a, b, c = tried + 3.8415, 2 * won + 3.8415, won * won / tried
        root = (b * b - 4 * a * c) ** 0.5
        assert abs(low - 50 * (b - root) / a) <= 0.51
        assert abs(high - 50 * (b + root) / a) <= 0.51


def test_an_adapter_of_another_base_is_refused(job, point_checkpoint, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(point_checkpoint, other)
    weights = load_file(other / "model.safetensors")
    next(iter(weights.values())).add_(1)
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"was made for base .* --base"):
        export_adapter(AdapterJob(job.folder, job.run, job.out, other))
    assert not job.out.exists()


def test_an_adapter_with_nan_is_refused(job, point_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(point_run, run)
    path = run / "adapters" / (run / "current").read_text().strip() / "adapter_model.safetensors"
    weights = load_file(path)
    next(iter(weights.values())).fill_(float("nan"))
    save_file(weights, path)
    with pytest.raises(DataError, match="NaN or infinity"):
        export_adapter(AdapterJob(run, job.run, job.out, job.base))
    assert not job.out.exists()


def test_an_adapter_that_is_not_there_is_named_with_those_that_are(job):
    with pytest.raises(UsageError, match="adapter '9999' wanted, this run kept 0001"):
        export_adapter(AdapterJob(job.folder, job.run, job.out, job.base, "9999"))


def test_a_folder_that_is_there_is_not_touched(job):
    job.out.mkdir()
    with pytest.raises(UsageError, match="is there already"):
        export_adapter(job)
    assert not list(job.out.iterdir())
