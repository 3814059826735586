"""Every tool by name, and running one."""

from collections.abc import Mapping
from typing import Any

from tools.alert_list import list_alerts
from tools.anomalies import detect_anomalies
from tools.causes import root_cause
from tools.churn import churn_risk
from tools.comparison import compare_periods
from tools.context import ToolContext
from tools.customers import customer_360
from tools.drivers import drivers
from tools.industry_comparison import industry_compare
from tools.journey import journey_map
from tools.low_scores import low_score_drilldown
from tools.metrics import metric_stats
from tools.nps import nps_stats
from tools.plans import create_action_plan
from tools.playbook_message import send_playbook_message
from tools.pool_view import pool_seen
from tools.quality import batches_seen, data_quality
from tools.registry import ToolSpec, find, nothing_else, spec
from tools.results import ToolResult
from tools.rivals import compare_competitors
from tools.roi import estimate_roi
from tools.search import search_feedback
from tools.segments import customer_segments
from tools.task_list import list_tasks
from tools.task_update import update_task
from tools.tasks import create_retention_task
from tools.themes import list_themes, theme_detail
from tools.trends import forecast, trend
from tools.verdicts import record_verdict
from tools.verification import verify_effect

ALL_TOOLS: tuple[ToolSpec, ...] = (
    spec(nps_stats, beside=nothing_else),
    spec(metric_stats, beside=nothing_else),
    spec(compare_periods, beside=nothing_else),
    spec(drivers, beside=nothing_else),
    spec(trend, beside=nothing_else),
    spec(detect_anomalies, beside=nothing_else),
    spec(forecast, beside=nothing_else),
    spec(root_cause, beside=nothing_else),
    spec(list_themes, beside=nothing_else),
    spec(theme_detail),
    spec(search_feedback),
    spec(low_score_drilldown, beside=nothing_else),
    spec(customer_360),
    spec(customer_segments, beside=nothing_else),
    spec(churn_risk, beside=pool_seen),
    spec(list_alerts),
    spec(list_tasks),
    spec(data_quality, beside=batches_seen),
    spec(compare_competitors, beside=nothing_else),
    spec(industry_compare, beside=nothing_else),
    spec(journey_map, beside=nothing_else),
    spec(verify_effect),
    spec(estimate_roi),
    spec(create_retention_task, acts=True, role="analyst"),
    spec(create_action_plan, acts=True, role="analyst"),
    spec(update_task, acts=True, role="analyst"),
    spec(record_verdict, acts=True, role="analyst"),
    spec(send_playbook_message, acts=True, role="analyst"),
)


def run_tool(name: str, args: Mapping[str, Any], context: ToolContext) -> ToolResult:
    """Run a tool by name.

    Raises ToolInputError for an unknown name or unusable arguments, NotPermitted where the asker's role does
    not allow it.
    """
    return find(ALL_TOOLS, name).run(args, context)
