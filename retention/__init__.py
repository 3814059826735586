"""Policy, alerts, tasks, playbooks, outbox, learning from verdicts."""
