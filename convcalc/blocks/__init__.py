"""Networks as a person would write them: scopes of one class as blocks, what differs between them as params."""
