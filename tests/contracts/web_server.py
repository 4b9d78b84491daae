"""A real web server of a folder, on this machine."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route


@contextmanager
def serve(
    folder: Path, requests: list[str], answer_with: Callable[[Path], Response] = FileResponse
) -> Iterator[str]:
    """A web server of `folder`, and the `Range` header of each of its answers."""

    async def answer(request: Request) -> Response:
        path = folder / request.path_params["path"]
        if path.is_dir():
            names = [f"/{one.relative_to(folder)}{'/' * one.is_dir()}" for one in sorted(path.iterdir())]
            return HTMLResponse("".join(f'<a href="{name}">{name}</a>' for name in names))
        if not path.is_file():
            return Response(status_code=404)
        if request.method == "GET":
            requests.append(request.headers.get("range", ""))
        return answer_with(path)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "HEAD"])])
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()
