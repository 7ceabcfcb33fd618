"""The native vision-language-action policy: OpenVLA's architecture, tokens, files and adapters."""
