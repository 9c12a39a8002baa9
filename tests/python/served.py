"""A served store, asked as a program of its users would."""

import json
import subprocess
import urllib.error
import urllib.request


class Service:
    def __init__(self, gridatlas, store, *arguments):
        command = [gridatlas.path, "serve", "--store", str(store), "--listen", "127.0.0.1:0", *map(str, arguments)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        assert said.startswith("listening on http://"), said
        self.url = said.split()[-1]

    def ask(self, method, path, body=None, accepted=(200, 201)):
        """The status and the JSON of an answer; other statuses than those accepted fail."""
        headers = {"content-type": "application/json", "if-match": "*"} if body is not None else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        assert status in accepted, f"{method} {path} {str(body)[:2000]}: {status} {text[:2000]}"
        return status, json.loads(text)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=60) == 0
