"""The part of the main screen that compiles, trains and compresses beside the editor, and helps."""

from __future__ import annotations

import shlex

from textual import work
from textual.dom import DOMNode

from graphbuilder.tui.job_events import Ended, Ending, Event, Progress, Said
from graphbuilder.tui.jobs import Job, Jobs
from graphbuilder.tui.keys import ACTIONS, GROUPS, shown_key
from graphbuilder.tui.screens.ask import Ask, AskText
from graphbuilder.tui.screens.files import FilesScreen
from graphbuilder.tui.screens.picker import Choice, Picker

__all__ = ["RunningScreen"]

_BAR = 20


class RunningScreen(FilesScreen):
    """A screen beside which commands run."""

    _jobs: Jobs | None = None
    # How far what runs is, for the head.
    progress: str = ""

    @property
    def jobs(self) -> Jobs:
        """The commands that run, or have run."""
        if self._jobs is None:
            self._jobs = Jobs(lambda job, event: self.app.call_from_thread(self._happened, job, event))
        return self._jobs

    @work(exclusive=True, group="ask")
    async def action_start(self) -> None:
        """Asks what is to be run, and with which options, and runs it."""
        if self.document is None:
            return
        stem = self.path.stem
        choices = [
            Choice("compile", "compile", "build the model and save it", f"{stem}.keras"),
            Choice("train", "train", "train it on data", f"{stem}.keras"),
            Choice("compress", "compress", "carry out its passes of compression", f"{stem}_compressed"),
        ]
        command = await self.ask(Picker("Run", choices))
        if command is None:
            return
        defaults = {
            "compile": f"-o {shlex.quote(f'{stem}.keras')} --force",
            "train": f"--data data.npz -o {shlex.quote(f'{stem}.keras')} --force",
            "compress": f"--data data.npz -o {shlex.quote(f'{stem}_compressed')} --force",
        }
        typed = await self.ask(AskText(f"graphbuilder {command} {self.path.name}", defaults[str(command)], _unquoted))
        if typed is None:
            return
        text = None if command == "compress" and not self.workspace.changed else self.workspace.session.text
        settings = [f"--set={name}={value}" for name, value in self.workspace.params.items()]
        self.jobs.start(str(command), self.path, [*shlex.split(typed), *settings], text=text)
        self.log_lines([f"$ graphbuilder {command} {self.path.name} {typed}"], "accent")
        self.open_pane("log")

    def _happened(self, job: Job, event: Event) -> None:
        """Shows what happened to what runs."""
        if not self.is_attached:
            return
        match event:
            case Said(lines, error):
                self.log_lines(lines, "warning" if error else "text")
            case Progress(what, fraction, values):
                told = ", ".join(f"{name} {value:.4g}" for name, value in values)
                self.progress = f"{job.command}: {what}" + (f", {told}" if told else "")
                if fraction is not None:
                    full = round(_BAR * fraction)
                    self.progress += f" {'█' * full}{'░' * (_BAR - full)} {fraction:.0%}"
            case Ended(how, _, seconds):
                self.progress = ""
                look = "good" if how is Ending.DONE else "warning" if how is Ending.CANCELLED else "error"
                self.say(f"{event.message}, after {seconds:.1f} s", look)
        self.show_status()

    def action_stop(self) -> None:
        """Stops what is running."""
        running = self.jobs.running
        if not running:
            self.say("nothing is running", "warning")
        for job in running:
            job.cancel()
            self.say(f"stopping {job.command} …", "warning")

    async def may_leave(self) -> bool:
        running = self.jobs.running
        if not running:
            return True
        told = ", ".join(job.command for job in running)
        return bool(await self.ask(Ask(f"{told} is still running", [("s", "stop it and quit"), ("c", "stay")])) == "s")

    def end(self, *, keep: bool = False) -> None:
        super().end(keep=keep)
        if self._jobs is not None:
            self._jobs.close()

    # Help.

    @work(exclusive=True, group="ask")
    async def action_help(self) -> None:
        """Lists what can be done here, and does what is picked."""
        focused = self.focused
        choices: list[Choice] = []
        calls: dict[str, tuple[DOMNode, str]] = {}
        keymap = getattr(self.app, "keys_of_user", {})
        if focused is not None:
            for node in focused.ancestors_with_self:
                if node is self:
                    break
                for shown in (each for found in node._bindings.key_to_bindings.values() for each in found):
                    if shown.id is not None and shown.id not in calls:
                        keys = keymap.get(shown.id) or ",".join(
                            each.key
                            for found in node._bindings.key_to_bindings.values()
                            for each in found
                            if each.id == shown.id
                        )
                        choices.append(Choice(shown.id, shown.description, "", shown_key(keys), _id_told(shown.id)))
                        calls[shown.id] = (node, shown.action)
        for group, title in GROUPS.items():
            for action in ACTIONS:
                if action.group == group:
                    keys = keymap.get(action.id, action.keys)
                    right = f"{title}  {shown_key(keys)}"
                    choices.append(Choice(action.id, action.title, "", right, _id_told(action.id)))
                    calls[action.id] = (self, action.action)
        picked = await self.ask(Picker("What can be done here", choices))
        if picked is not None:
            target, action_name = calls[str(picked)]
            # Only once this question is gone: what is picked may ask something itself.
            self.call_later(self.app.run_action, action_name, target)


def _id_told(name: str) -> str:
    """How the keys of something can be set."""
    return f"in the settings: keys: {{{name}: …}}"


def _unquoted(typed: str) -> str | None:
    """What is wrong with options as they are typed."""
    try:
        shlex.split(typed)
    except ValueError as error:
        return str(error)
    return None
