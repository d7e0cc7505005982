"""Training with several replicas: on the devices of one machine, or on several workers."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from graphbuilder.data import Pieces
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic

__all__ = ["ONE", "Layout", "Strategy", "WorkerGone", "Workers", "gone_workers_told", "layout_for", "workers_of"]

Strategy: TypeAlias = Literal["mirrored", "multi_worker"]


class WorkerGone(BlueprintError):
    """Another worker ended, so that this one cannot go on."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that train together.

    Arguments:
        addresses: `host:port` of each.
        index: which of them this is.
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def chief(self) -> bool:
        """Whether this process saves what comes of it."""
        return self.index == 0


@dataclass(frozen=True, slots=True)
class Layout:
    """The replicas of a model that train together.

    Arguments:
        strategy: TensorFlow's strategy, or None for a single replica.
        replicas: how many there are on all workers.
        workers: the processes, or None for this one alone.
    """

    strategy: Any = None
    replicas: int = 1
    workers: Workers | None = None

    @property
    def chief(self) -> bool:
        """Whether this process saves what comes of it."""
        return self.workers is None or self.workers.chief

    @property
    def pieces(self) -> Pieces | None:
        """Which pieces of every batch this process takes."""
        if self.strategy is None:
            return None
        if self.workers is None:
            return Pieces(0, self.replicas, self.replicas)
        here = self.replicas // len(self.workers.addresses)
        return Pieces(self.workers.index * here, here, self.replicas)

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """Where a model is built for these replicas."""
        return contextlib.nullcontext() if self.strategy is None else self.strategy.scope()

    def distributed(self, dataset: Callable[[Any], Any]) -> Any:
        """A dataset whose elements are the replicas' pieces, one after the other, as this strategy takes it."""
        return self.strategy.distribute_datasets_from_function(dataset)

    def agree(self, number: int) -> bool:
        """Whether all workers say the same number; each must ask."""
        if self.workers is None:
            return True
        import tensorflow as tf

        @tf.function  # type: ignore[untyped-decorator]  # TensorFlow has no types
        def all_said() -> Any:
            return self.strategy.gather(self.strategy.run(lambda: tf.constant([number], "int64")), axis=0)

        return len(set(all_said().numpy().tolist())) == 1

    def require(self, batch_size: int) -> None:
        """Refuses a batch that cannot be cut into equal pieces.

        Raises:
            BlueprintError: there are more replicas than samples in a batch, or a rest would be left.
        """
        if batch_size % self.replicas:
            lower = batch_size // self.replicas * self.replicas
            hint = f"--batch-size {lower or self.replicas} or {lower + self.replicas}"
            message = f"a batch of {batch_size} cannot be shared by {self.replicas} replicas"
            raise BlueprintError(Diagnostic("GB724", message, expected=f"a multiple of {self.replicas}", hint=hint))


ONE = Layout()


def workers_of(environment: Mapping[str, str] | None = None) -> Workers:
    """The workers that `TF_CONFIG` describes.

    Arguments:
        environment: the variables; those of the process when left out.

    Raises:
        CommandError: the variable is missing, or is not what TensorFlow takes.

    Example:
        >>> config = '{"cluster": {"worker": ["127.0.0.1:9000"]}, "task": {"type": "worker", "index": 0}}'
        >>> workers_of({"TF_CONFIG": config}).chief
        True
    """
    written = (os.environ if environment is None else environment).get("TF_CONFIG")
    if not written:
        raise _wrong("the environment variable TF_CONFIG does not say who the workers are")
    try:
        config = json.loads(written)
    except ValueError as error:
        raise _wrong(f"TF_CONFIG is no JSON: {error}") from error
    cluster = config.get("cluster") if isinstance(config, dict) else None
    task = config.get("task") if isinstance(config, dict) else None
    if not isinstance(cluster, dict) or not isinstance(task, dict):
        raise _wrong("TF_CONFIG lacks cluster or task")
    unknown = sorted(set(cluster) - {"chief", "worker"})
    if unknown:
        raise _wrong(f"TF_CONFIG has jobs that do not train: {', '.join(unknown)}")
    chief, worker = cluster.get("chief", []), cluster.get("worker", [])
    addresses = [*chief, *worker] if isinstance(chief, list) and isinstance(worker, list) else []
    if not addresses or not all(isinstance(address, str) and ":" in address for address in addresses):
        raise _wrong("TF_CONFIG lists no workers as host:port")
    kind, index = task.get("type"), task.get("index")
    jobs = {"chief": chief, "worker": worker}
    if kind not in jobs or not isinstance(index, int) or not 0 <= index < len(jobs[kind]):
        raise _wrong(f"the task {kind} {index} of TF_CONFIG is none of its workers")
    return Workers(tuple(addresses), index + (len(chief) if kind == "worker" else 0))


def _wrong(message: str) -> CommandError:
    example = '{"cluster": {"worker": ["host1:9000", "host2:9000"]}, "task": {"type": "worker", "index": 0}}'
    return CommandError(Diagnostic("GB724", message, hint=f"TF_CONFIG='{example}', with its own index on each worker"))


def layout_for(strategy: Strategy | None, workers: Workers | None) -> Layout:
    """The replicas of a strategy. Workers wait here for each other.

    Arguments:
        strategy: what was asked for.
        workers: the processes, for `multi_worker`.

    Raises:
        BlueprintError: the workers do not find each other.
    """
    if strategy is None:
        return ONE
    import tensorflow as tf

    if strategy == "mirrored":
        made = tf.distribute.MirroredStrategy()
        return Layout(made, made.num_replicas_in_sync)
    with gone_workers_told(), _ended_by_ctrl_c():
        made = tf.distribute.MultiWorkerMirroredStrategy()
    return Layout(made, made.num_replicas_in_sync, workers)


@contextlib.contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Lets Ctrl-C end the process while TensorFlow waits for workers, where Python is not asked."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def gone_workers_told() -> Iterator[None]:
    """Turns what TensorFlow raises of workers that are gone into an error of ours.

    Raises:
        BlueprintError: a worker is gone.
    """
    import tensorflow as tf

    lost = (tf.errors.UnavailableError, tf.errors.DeadlineExceededError, tf.errors.AbortedError)
    try:
        yield
    except (*lost, tf.errors.CancelledError, tf.errors.InternalError) as error:
        reason = " ".join(str(error.message).split())
        reason = re.sub(r"\{\{.*?\}\} ?", "", reason)[:160]
        found = Diagnostic("GB724", f"another worker is gone: {reason}", hint="start all workers again with --resume")
        raise WorkerGone(found) from error
