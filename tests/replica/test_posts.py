"""What a POST does is done once, whatever becomes of the instance that does it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest

from tests.replica.held import held, psql, waiting
from tests.stack import Stack, wait_for

KEY = 4711  # of the lock that a commit waits for
# Waits as the transaction commits: what it did is done even if who asked for it has died.
SLOW_COMMIT = f"""
CREATE FUNCTION wait_to_commit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared({KEY}); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON chat_message
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_to_commit()
"""


@pytest.fixture
def _slow_commits(stack: Stack) -> Iterator[None]:
    psql(stack, SLOW_COMMIT)
    yield
    psql(stack, "DROP FUNCTION wait_to_commit CASCADE")


def move(stack: Stack, where: str) -> None:
    """Take ``wsgi@2`` ``away`` from nginx, or ``back``."""
    say = f"TANDEM_UPSTREAM=wsgi@2 exec python -m tandem.instance.handover {where}"
    stack.run("docker", "exec", stack.container("wsgi-2"), "sh", "-c", say)


def takes_requests(stack: Stack) -> bool:
    """Tell whether ``wsgi@1`` answers a new request."""
    probe = ("python", "-m", "tandem.instance.probe", "wsgi@1", "/health/live/")
    return not stack.run(
        "docker", "exec", stack.container("wsgi-2"), *probe, check=False
    ).returncode


@pytest.mark.usefixtures("_slow_commits")
@pytest.mark.parametrize(("end", "status"), [("kill", 502), ("stop", 302)])
def test_a_post_under_way_when_its_instance_ends_is_done_once(stack: Stack, end: str, status: int):
    text = f"once-{uuid.uuid4().hex}"
    answers: list[int] = []
    with stack.client("demo") as client:

        def post() -> None:
            token = client.cookies["csrftoken"]
            answer = client.post(
                "/chat/posts/",
                data={"message": text, "csrfmiddlewaretoken": token},
                headers={"Referer": stack.origin},
            )
            answers.append(answer.status_code)

        # nginx keeps no connection to it, on which it could get the request although it is away.
        stack.run("docker", "restart", "--time", "0", stack.container("wsgi-2"))
        stack.wait_healthy("wsgi-2")
        with held(stack, f"SELECT pg_advisory_xact_lock({KEY})"):
            move(stack, "away")
            posting = threading.Thread(target=post)
            posting.start()
            wait_for(lambda: waiting(stack) == 1)
            move(stack, "back")
            ending = threading.Thread(
                target=stack.run, args=("docker", end, stack.container("wsgi-1"))
            )
            ending.start()
            wait_for(lambda: not takes_requests(stack))
            if end == "kill":
                wait_for(lambda: answers or waiting(stack) > 1)  # or it is being done again
        posting.join()
        ending.join()
    stack.run("docker", "start", stack.container("wsgi-1"))
    stack.wait_healthy("wsgi-1")
    assert answers == [status]
    assert psql(stack, f"SELECT count(*) FROM chat_message WHERE text = '{text}'") == "1\n"
