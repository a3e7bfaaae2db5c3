import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from material import model_of_two_words
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.slow

TEXTS = ["A wonderful film.", "a terrible, terrible film", "影评 wonderful", "a film\nof two lines"]


def test_an_answer_is_what_the_command_prints(service, predict):
    for options, more in [([], {}), (["--unsure", "0.2"], {"unsure": 0.2})]:
        printed = [json.loads(line) for line in predict("--json", *options, *TEXTS).splitlines()]
        status, said = service.ask("/predict", {"texts": TEXTS} | more)
        assert (status, json.loads(said)) == (200, printed)
        assert json.loads(service.ask("/predict", {"text": TEXTS[0]} | more)[1]) == printed[0]
    traced = json.loads(predict("--json", "--trace", TEXTS[1]))
    assert json.loads(service.ask("/trace", {"text": TEXTS[1]})[1]) == traced


def test_answers_to_many_who_ask_at_once_are_their_own(service):
    model = model_of_two_words()
    texts = [" ".join(["wonderful"] * (number % 7) + ["terrible"] * (number % 5) + ["film"]) for number in range(200)]
    with ThreadPoolExecutor(20) as clients:
        said = list(clients.map(lambda text: json.loads(service.ask("/predict", {"text": text})[1]), texts))
    assert [each["text"] for each in said] == texts
    assert [each["probability"] for each in said] == model.predict_proba(texts).round(6).tolist()


@pytest.mark.parametrize(
    ("path", "body", "status", "fault"),
    [
        ("/predict", {"text": " "}, 422, "text 1 is empty; remove it"),
        ("/predict", {"texts": ["a", "b\0"]}, 422, "text 2 contains NUL bytes: it is binary, not text"),
        ("/predict", {"text": "\ud800"}, 422, "Invalid JSON: "),
        ("/trace", {"text": "\ud800"}, 422, "text 1 is not UTF-8 text"),
        ("/predict", {"texts": []}, 422, "texts: List should have at least 1 item"),
        ("/predict", {"texts": ["a"] * 10_001}, 422, "texts: List should have at most 10000 items"),
        ("/predict", {"text": "a", "texts": ["a"]}, 422, "give either `text` or `texts`"),
        ("/predict", {}, 422, "give either `text` or `texts`"),
        ("/predict", {"text": 1}, 422, "text: Input should be a valid string"),
        ("/predict", {"text": "a", "unsure": 2}, 422, "unsure: Input should be less than 1"),
        ("/predict", {"text": "a", "unsure": 0.7}, 422, "unsure is 0.7; choose a number above 0 and below 0.5"),
        ("/predict", {"text": "a", "unsure": float("nan")}, 422, "unsure: Input should be"),
        ("/predict", {"text": "a", "colour": 1}, 422, "colour: Extra inputs are not permitted"),
        ("/predict", b'{"text": "a', 422, "Invalid JSON: EOF while parsing"),
        ("/predict", b"[" * 10_000, 422, "Invalid JSON: recursion limit exceeded"),
        ("/trace", b'{"text": "a', 422, "JSON decode error"),
        ("/trace", {"texts": ["a"]}, 422, "give one text, as `text`"),
        ("/nothing", {}, 404, "Not Found"),
        ("/healthz", {}, 405, "Method Not Allowed"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_answered_is_said_in_a_line(service, path, body, status, fault):
    said = service.fault(path, body)
    assert said[0] == status
    assert said[1].startswith(fault)
    assert len(said[1].splitlines()) == 1


def test_a_body_of_an_unknown_kind_is_refused(service):
    status, fault = service.fault("/predict", b"text=a", "application/x-www-form-urlencoded")
    assert status == 415
    assert fault.startswith("the Content-Type is application/x-www-form-urlencoded; let it be application/json, ")


@pytest.mark.parametrize("path", ["/", "/healthz"])
def test_the_head_alone_can_be_asked_for(service, path):
    connection = service.connect()
    connection.request("HEAD", path)
    with connection.getresponse() as answer:
        assert (answer.status, answer.read()) == (200, b"")


def test_requests_and_texts_are_counted_and_no_made_up_path_is(serve):
    with serve() as service:
        service.ask("/predict", {"texts": ["a", "b", "c"]})
        service.ask("/predict", {})
        service.ask("/some/path")
        assert json.loads(service.ask("/healthz")[1]) == {"status": "ok"}
        status, said = service.ask("/metrics")
        counted = set(said.decode().splitlines())
        assert status == 200
        assert "imdb_rnn_texts_total 3.0" in counted
        assert 'imdb_rnn_requests_total{path="/predict",status="200"} 1.0' in counted
        assert 'imdb_rnn_requests_total{path="/predict",status="422"} 1.0' in counted
        assert 'imdb_rnn_requests_total{path="other",status="404"} 1.0' in counted
        assert 'imdb_rnn_request_seconds_count{path="/predict"} 2.0' in counted


def test_the_page_of_the_interface_works_and_asks_nobody_else(service, browser):
    here = f"http://127.0.0.1:{service.port}/"
    for log in ("performance", "browser"):
        browser.get_log(log)  # of pages before
    browser.get(f"{here}docs")
    WebDriverWait(browser, 60).until(lambda _: len(browser.find_elements(By.CLASS_NAME, "opblock")) == 4)
    shown = [each.text for each in browser.find_elements(By.CLASS_NAME, "opblock-summary-path")]
    assert sorted(shown) == ["/healthz", "/metrics", "/predict", "/trace"]
    log = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {each["params"]["request"]["url"] for each in log if each["method"] == "Network.requestWillBeSent"}
    assert f"{here}openapi.json" in asked
    assert {url for url in asked if not url.startswith((here, "data:", "chrome:"))} == set()
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_the_report_is_the_first_page_if_there_is_one(service, serve, project):
    assert b'curl --json \'{"text": "A wonderful film."}\' http://127.0.0.1:' in service.ask("/")[1]
    (project / "data/report.html").write_text("<title>the report</title>")
    try:
        with serve() as with_report:
            assert with_report.ask("/") == (200, b"<title>the report</title>")
    finally:
        (project / "data/report.html").unlink()


def test_a_page_of_another_site_that_pretends_to_be_here_gets_nothing(service):
    assert service.ask("/", Host="evil.example")[0] == 400
    assert service.ask("/", Host="localhost")[0] == 200
