"""Exposes: HTTP, chat stream, Slack, MCP, web page, jobs, command line."""
