"""A real server on loopback: this project's own reader behind the two wire formats, with faults.

    python served.py FOLDER-OF-A-VLM

Prints its port, then serves until it is ended. The first part of a path names a fault.
"""

import base64
import io
import json
import math
import sys
import time
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image

from agent.reward.question import BINS, PROGRESS, SUCCESS
from agent.reward.reader import Frames
from agent.reward.vlm import VlmReader

LATE_S = 5.0
FAULTS = ("slow", "drip", "e500", "garbage", "lying", "nan", "huge", "away", "words", "e404")
CAMERAS = ("agentview", "wrist")


class Handler(BaseHTTPRequestHandler):
    reader: VlmReader
    asked = 0
    failing = 0
    tokens = None  # headers of every post

    def do_GET(self):
        path = self._path()
        if path == "/v1/models":
            self._say({"data": [{"id": "small", "created": time.time(), "root": "small"}]})
        elif path == "/health":
            self._say({"status": "healthy", "available_gpus": 1, "total_gpus": 1})
        elif path == "/model_info":
            self._say({"model_path": "ours/small", "num_gpus": 1})
        elif path == "/asked":
            self._say({"asked": type(self).asked, "tokens": type(self).tokens})
        elif path.startswith("/fail/"):
            type(self).failing = int(path.removeprefix("/fail/"))
            self._say({})
        else:
            self._plain(404, b"no such place")

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        path = self._path()
        kind = type(self)
        kind.asked += 1
        kind.tokens.append(self.headers.get("Authorization", ""))
        if kind.failing:
            kind.failing -= 1
            self._plain(503, b"busy")
        elif self.fault:
            self._spoiled(path, data)
        else:
            self._say(self._answer(path, data))

    def log_message(self, *_):
        pass

    def _path(self):
        first, _, rest = self.path.removeprefix("/").partition("/")
        self.fault = first if first in FAULTS else ""
        return "/" + rest if self.fault else self.path

    def _answer(self, path, data):
        if path == "/v1/chat/completions":
            return chat(self.reader, json.loads(data))
        return robometer(self.reader, self.headers["Content-Type"], data)

    def _spoiled(self, path, data):
        if self.fault in {"slow", "drip"}:
            self._late(drip=self.fault == "drip")
        elif self.fault in {"e500", "e404"}:
            self._plain(int(self.fault[1:]), b"no")
        elif self.fault == "garbage":
            self._plain(200, b"<html>yes, yes, the task is done</html>")
        elif self.fault == "huge":
            self._head(200, 100 << 20)
            self.wfile.write(bytes(100 << 20))
        elif self.fault == "away":
            self.send_response(307)
            self.send_header("Location", self.path.replace("/away", ""))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            told = self._answer(path, data)
            self._say(spoil(told, self.fault))

    def _late(self, drip):
        if drip:
            self._head(200, 1000)
        for _ in range(int(LATE_S / 0.1)):
            if drip:
                self.wfile.write(b" ")
            time.sleep(0.1)

    def _say(self, told):
        self._plain(200, json.dumps(told).encode())

    def _plain(self, status, data):
        self._head(status, len(data))
        self.wfile.write(data)

    def _head(self, status, length):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()


def spoil(told, fault):
    """The same answer with figures that are wrong."""
    if "choices" in told:
        content = told["choices"][0]["logprobs"]["content"]
        if fault == "lying":
            content.clear()
        elif fault == "nan":
            for each in content[0]["top_logprobs"]:
                each["logprob"] = math.nan
        else:
            content[0]["top_logprobs"] = [{"token": "Sure", "logprob": -0.01}]
        return told
    figures = told["outputs_progress"]["progress_pred"]
    for row in figures:
        if fault == "lying":
            row.append(0.5)
        elif fault == "nan":
            row[-1] = math.nan
        else:
            row[-1] = 57.0
    return told


def chat(reader, asking):
    """One token's log-probabilities, as vLLM puts them."""
    *pictures, text = asking["messages"][0]["content"]
    shown = [_pixels(each["image_url"]["url"]) for each in pictures]
    images = {
        name: np.stack(shown[2 * number : 2 * number + 2]) for number, name in enumerate(CAMERAS)
    }
    template = next(each for each in (SUCCESS, PROGRESS) if _fits(each, text["text"]))
    before, after = template.split("{task}")
    task = text["text"].removeprefix(before).removesuffix(after)
    opinion = reader.read(Frames(images, task))
    if template == SUCCESS:
        chance = float(opinion.success[-1])
        chances = {"Yes": chance, " no": 1.0 - chance}
    else:
        # The two neighbours of the mean, which give it back.
        place = float(opinion.progress[-1]) * (len(BINS) - 1)
        low = min(int(place), len(BINS) - 2)
        chances = {BINS[low]: 1.0 - (place - low), BINS[low + 1]: place - low}
    top = [{"token": t, "logprob": math.log(max(c, 1e-30))} for t, c in chances.items()]
    return {"choices": [{"logprobs": {"content": [{"token": "x", "top_logprobs": top}]}}]}


def robometer(reader, kind, data):
    """Figures of every frame of every trajectory, as its evaluation server gives them."""
    form = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + data)
    parts = {p.get_param("name", header="content-disposition"): p for p in form.get_payload()}
    count = sum(1 for name in parts if name.count("_") == 1)
    rows = []
    for number in range(count):
        sample = json.loads(parts[f"sample_{number}"].get_payload(decode=True))
        told = sample["trajectory"]
        file = parts[told["frames"]["__numpy_file__"]]
        assert file.get_filename().endswith(".npy")
        frames = np.load(io.BytesIO(file.get_payload(decode=True)), allow_pickle=False)
        assert list(frames.shape) == told["frames_shape"]
        rows.append(reader.read(Frames(dict.fromkeys(CAMERAS, frames), told["task"])))
    return {
        "outputs_preference": None,
        "outputs_progress": {"progress_pred": [row.progress.tolist() for row in rows]},
        "outputs_success": {"success_probs": [row.success.tolist() for row in rows]},
    }


def _fits(template, text):
    before, after = template.split("{task}")
    return text.startswith(before) and text.endswith(after)


def _pixels(url):
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"), validate=True)
    return np.array(Image.open(io.BytesIO(data)))


def main():
    import torch

    torch.set_num_threads(1)
    Handler.reader, Handler.tokens = VlmReader(Path(sys.argv[1])), []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
