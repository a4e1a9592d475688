"""Serve the built site at http://localhost:8000."""

from __future__ import annotations

import functools
import http.server
import sys

from tools.paths import BUILD


def main() -> int:
    """Serve until interrupted."""
    html = BUILD / "html"
    if not (html / "index.html").exists():
        print("_build/html must hold the site, got nothing; run `make site`.")
        return 1
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(html))
    print(f"http://localhost:{port}  (Ctrl-C ends it)", flush=True)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
