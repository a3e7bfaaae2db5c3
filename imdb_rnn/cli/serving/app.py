"""The application: texts and tables in, what `imdb-rnn predict` says of them out."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Any, NamedTuple

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect

from imdb_rnn.cli.answers import answers, fault_of
from imdb_rnn.cli.serving.limits import SECONDS, Metrics, collected, limited, make_metrics
from imdb_rnn.cli.serving.uploads import MEDIA, READ, TableQuestion, score
from imdb_rnn.core.errors import UserError
from imdb_rnn.model import Model

MAX_TEXTS = 10_000  # of a request
TOGETHER = 256  # texts that are answered together, about
ERRORS: dict[type[Exception], int] = {
    UserError: 422, ValidationError: 422, RequestValidationError: 422, TimeoutError: 503, ClientDisconnect: 400,
}  # fmt: skip
HOW = """\
POST a text to /predict, or a table:
  curl --json '{"text": "A wonderful film."}' ADDRESS/predict
  curl --form table=@reviews.csv ADDRESS/predict
/docs says more.
"""


class Asked(NamedTuple):
    """Texts, what `Model.label_names` takes, and where the answers are awaited."""

    texts: list[str]
    unsure: float | None
    answered: "asyncio.Future[list[dict]]"


Queue = asyncio.Queue[Asked]


class Question(BaseModel):
    """One text, or many."""

    model_config = ConfigDict(extra="forbid")
    text: str | None = None
    texts: Annotated[list[str] | None, Field(min_length=1, max_length=MAX_TEXTS)] = None
    unsure: Annotated[float | None, Field(gt=0, lt=1)] = None


FORM = TableQuestion.model_json_schema()["properties"] | {"table": {"type": "string", "format": "binary"}}
BODY = {  # of /predict, for the page /docs
    "required": True,
    "content": {
        "application/json": {"schema": Question.model_json_schema(), "example": {"text": "A wonderful film."}},
        "multipart/form-data": {"schema": {"type": "object", "required": ["table"], "properties": FORM}},
        "text/csv": {"schema": {"type": "string"}, "example": "text\nA wonderful film.\n"},
    },
}


def create_app(model: Model, report: Path | None, hosts: list[str]) -> FastAPI:
    """The application that asks a model.

    Args:
        report: the page at /; None: a few words on how to ask.
        hosts: how clients may call this machine; `*`: as they like.
    """
    metrics, queue = make_metrics(), Queue()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        answering = asyncio.create_task(_answer_together(model, queue))
        yield
        answering.cancel()

    about: dict[str, Any] = {"title": "imdb-rnn", "version": version("imdb-rnn"), "lifespan": lifespan}
    app = FastAPIOffline(redoc_url=None, swagger_ui_parameters={"validatorUrl": None}, **about)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    app.add_middleware(limited, metrics=metrics)
    for error, status in ERRORS.items():
        app.add_exception_handler(error, partial(_say, status))
    _add_questions(app, model, queue, metrics)
    _add_pages(app, report)
    return app


def _add_questions(app: FastAPI, model: Model, queue: Queue, metrics: Metrics) -> None:
    one_table, one_trace = asyncio.Semaphore(1), asyncio.Semaphore(1)  # at a time

    @app.post("/predict", openapi_extra={"requestBody": BODY})
    async def predict(request: Request) -> Response:
        """The answers of `imdb-rnn predict --json`; of a table the table with more columns, as by `predict --table`."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            question = Question.model_validate_json(await request.body())
            texts = _texts(question)
            metrics.texts.inc(len(texts))
            said: list[dict] = []
            async with asyncio.timeout(SECONDS):
                for first in range(0, len(texts), TOGETHER):  # between which others are answered
                    answered = asyncio.get_running_loop().create_future()
                    queue.put_nowait(Asked(texts[first : first + TOGETHER], question.unsure, answered))
                    said += await answered
            return JSONResponse(said if question.texts else said[0])
        until = time.monotonic() + SECONDS
        table, asked = await _table_of(request, kind)
        async with asyncio.timeout(SECONDS):  # another table may take that long
            await one_table.acquire()
        try:
            content, suffix = await asyncio.to_thread(score, model, table, asked, until, metrics.texts.inc)
        finally:
            one_table.release()
        return Response(content, 200, {"Content-Disposition": f"attachment; filename=scored{suffix}"}, MEDIA[suffix])

    @app.post("/trace")
    async def trace(question: Question) -> JSONResponse:
        """The answer to one text, its tokens, and the probability before the first and after each of them."""
        texts = _texts(question)
        if question.texts:
            raise UserError("give one text, as `text`")
        metrics.texts.inc()
        async with asyncio.timeout(SECONDS), one_trace:
            return JSONResponse((await asyncio.to_thread(_said, model, texts, question.unsure, traced=True))[0])


def _add_pages(app: FastAPI, report: Path | None) -> None:
    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether the service answers."""
        return {"status": "ok"}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Numbers of requests and texts, and how long answers took, for Prometheus."""
        content, kind = collected()
        return Response(content, media_type=kind)

    @app.head("/", include_in_schema=False)
    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return FileResponse(report) if report else PlainTextResponse(HOW.replace("ADDRESS/", str(request.base_url)))


def _say(status: int, _: Request, error: Exception) -> JSONResponse:
    """One line about what a client did wrong."""
    if isinstance(error, ValidationError | RequestValidationError):
        first = error.errors()[0]
        fields = [part for part in first["loc"] if isinstance(part, str) and part != "body"]
        said = ": ".join([*fields, first["msg"]])
    else:
        said = str(error) or f"no answer within {SECONDS:.0f} s; ask for less at a time"
    return JSONResponse({"detail": said}, status)


def _texts(question: Question) -> list[str]:
    if (question.text is None) == (question.texts is None):
        raise UserError("give either `text` or `texts`")
    texts = question.texts or [question.text or ""]
    for number, text in enumerate(texts, start=1):
        if fault := fault_of(text.encode(errors="surrogatepass")):
            raise UserError(f"text {number} {fault}")
    return texts


async def _answer_together(model: Model, queue: Queue) -> None:
    """Answer the texts that arrive while the model is busy together, which is many times as fast, for ever."""
    while True:
        asked = [await queue.get()]
        size = len(asked[0].texts)
        while size < TOGETHER and not queue.empty():
            asked.append(queue.get_nowait())
            size += len(asked[-1].texts)
        for unsure in {each.unsure for each in asked}:
            group = [each for each in asked if each.unsure == unsure]
            try:
                texts = [text for each in group for text in each.texts]
                said = iter(await asyncio.to_thread(_said, model, texts, unsure))
                for each in group:
                    of_each = list(islice(said, len(each.texts)))
                    if not each.answered.done():  # or nobody waits any more
                        each.answered.set_result(of_each)
            except Exception as error:  # is raised where it was asked
                for each in group:
                    if not each.answered.done():
                        each.answered.set_exception(error)


def _said(model: Model, texts: list[str], unsure: float | None, traced: bool = False) -> list[dict]:
    return list(answers(model, texts, model.decision_function(texts), unsure, traced))


async def _table_of(request: Request, kind: str) -> tuple[IO[bytes], TableQuestion]:
    """The table of a request, its file or its body, and what is asked of it, in the form or the query."""
    fields: Any = request.query_params
    if kind == "multipart/form-data":
        fields = await request.form(max_files=1, max_fields=100)
        table = fields.get("table")
        if not isinstance(table, UploadFile):
            raise UserError("the form has no file `table`")
        content = table.file
    elif kind in READ:
        content = io.BytesIO(await request.body())
    else:
        read = "application/json, multipart/form-data or that of a table, such as text/csv"
        raise HTTPException(415, f"the Content-Type is {kind or 'missing'}; let it be {read}")
    values = {
        name: fields.getlist(name) if name == "text_column" else fields[name] for name in fields if name != "table"
    }
    return content, TableQuestion.model_validate(values)
