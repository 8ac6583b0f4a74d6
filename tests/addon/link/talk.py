"""What engines of a few lines say: the text of their programs, for whoever starts one without the add-on."""

TALK = """
import json, os, sys, time
def tell(method, **params):
    out({"jsonrpc": "2.0", "method": method, "params": params})
def answer(request, **result):
    out({"jsonrpc": "2.0", "id": request, "result": result})
def refuse(request, message, kind, **data):
    error = {"code": -1, "message": message, "data": {"kind": kind, **data}}
    out({"jsonrpc": "2.0", "id": request, "error": error})
def out(message):
    sys.stdout.write(json.dumps(message) + "\\n")
    sys.stdout.flush()
def requests():
    for line in sys.stdin:
        request = json.loads(line)
        yield request["method"], request["id"], request["params"]
def greet(request):
    answer(request, name="fake", version="9.9", protocol=1, methods=[], packs=[], presets=[])
def ready():
    cpu = {"id": "cpu", "label": "fake", "memory": 1}
    tell("ready", devices=[cpu], device="cpu", torch="0", pack="starter")
"""

BEHAVES = """
for method, id, params in requests():
    if method == "initialize":
        greet(id)
        ready()
    elif method == "generate":
        tell("job/queued", job=id, position=0)
        for step in range(1, 4):
            tell("job/progress", job=id, phase="guide", step=step, total=3, loss=None, steps_per_second=2.0,
                 seconds_left=3.0 - step)
        tell("job/preview", job=id, variation=0, file="/tmp/none.rgba", width=4, height=4)
        answer(id, folder=params["folder"], prompt=params["prompt"], variations=[])
    elif method == "cancel":
        answer(id, cancelled=False)
"""
