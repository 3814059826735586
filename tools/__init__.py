"""Typed functions the agent may call; thin over analytics, vectorstore and retention."""
