"""A caching proxy as it is commonly written with FastAPI, httpx and redis: short, and each part used as it comes.

It checks the key in Redis, looks the answer up in Redis, and else asks the upstream and stores the answer.
"""

import json
import os
from base64 import b64decode
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Header, HTTPException, Request
from redis.asyncio import Redis

from tests.bench.serving import serve

app = FastAPI()
redis = Redis.from_url(os.environ["BENCH_REDIS_URL"])
client = httpx.AsyncClient(base_url=os.environ["BENCH_UPSTREAM_URL"])


@app.get("/{path:path}")
async def proxy(
    path: str,
    request: Request,
    authorization: Annotated[str, Header()],
    x_account_id: Annotated[str, Header()],
    cache_control: Annotated[str, Header()] = "",
) -> Any:
    key = b64decode(authorization.removeprefix("Basic ")).decode().rstrip(":")
    known = await redis.get(f"key:{key}")
    if known is None:
        raise HTTPException(401, "unknown key")
    client_key = json.loads(known)
    if x_account_id not in client_key["accounts"]:
        raise HTTPException(404, "unknown account")
    name = f"answer:{x_account_id}:{path}?{request.url.query}"
    if "no-cache" not in cache_control:
        cached = await redis.get(name)
        if cached is not None:
            return json.loads(cached)
    response = await client.get(
        f"/{path}",
        params=dict(request.query_params),
        headers={"Authorization": f"Bearer {client_key['accounts'][x_account_id]}"},
    )
    response.raise_for_status()
    answer = response.json()
    await redis.set(name, json.dumps(answer), ex=3600)
    return answer


if __name__ == "__main__":
    serve(app)
