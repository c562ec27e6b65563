"""Distinguish a template that rendered to nothing from an argument that was left out."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.runtime.arguments import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable


class TemplatedArguments:
    """What every operator and sensor inherits, in front of Airflow's base class.

    A template renders to the text ``None`` where its value is missing. Three ways around that end in the same text, so
    that they are refused too: Python's None of a template that renders to objects, of an upstream task's result, and of
    an element that a task is mapped over.
    """

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Render as Airflow does, for plain and for mapped tasks, and write down what came to nothing.

        An argument at a time, so that the report of one that cannot be rendered names it.
        """
        from airflow_provider_tuya_ota.runtime.task_report import rendering  # noqa: PLC0415 - parsing a Dag needs no protocol

        fields = list(template_fields)
        is_own = parent is self
        written = {name for name in fields if is_own and getattr(self, name) is not None} | self._mapped(context)
        render: Any = super()
        for name in fields:
            with rendering(context, self, name) if is_own else nullcontext():
                render._do_render_template_fields(parent, [name], context, jinja_env, seen_oids)  # noqa: SLF001 - Airflow means it to be overridden, see MappedOperator.render_template_fields
        for name in written if is_own else ():
            if name in fields and getattr(self, name) is None:
                setattr(self, name, NOTHING)

    def _mapped(self, context: Any) -> set[str]:
        """Name the arguments that ``expand`` has given, where this is one element of a mapped task."""
        if not getattr(self, "_BaseOperator__from_mapped", False):
            return set()
        own: Any = self
        # Airflow tells nowhere else what ``expand``, ``partial`` and the defaults of Dag and group have given.
        given: dict[str, Any] = own._BaseOperator__init_kwargs  # noqa: SLF001 - told nowhere else
        mapped: Any = own.dag.get_task(own.task_id)
        defaults = {**own.dag.default_args, **getattr(own.task_group, "default_args", {})}
        names = set(given) - set(mapped.partial_kwargs)
        # Either a default or ``expand`` has left these out; only what this element holds tells which.
        if unsure := {name for name in names if name in defaults and defaults[name] is None}:
            element, _ = mapped._get_specified_expand_input().resolve(context)  # noqa: SLF001 - told nowhere else
            names -= unsure - set(element)
        return names
