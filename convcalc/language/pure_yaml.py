"""PyYAML's own scanner where libyaml is not built in, as in a browser: it reads what libyaml reads, at the same marks.

PyYAML's scanner in Python differs from libyaml in what it takes: tabs between tokens and inside plain scalars, question
marks in flow style, where a text without a last line end ends, and how wide a byte order mark is. The methods here are
libyaml's rules under the names by which PyYAML calls them, and errors are said in libyaml's words. Tags and directives,
which the language has none of, are refused in PyYAML's.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import yaml

_BREAKS = "\r\n\x85\u2028\u2029"
_BLANKS = " \t"
_ENDS = "\0" + _BLANKS + _BREAKS
_FLOW = ",?[]{}"
_PLAIN, _BLOCK = "while scanning a plain scalar", "while scanning a block scalar"
_QUOTED, _NO_CHARACTER = "while parsing a quoted scalar", "found invalid Unicode character escape code"
_HALF = "[dD][89a-fA-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:u(?P<four>{_HALF})|U(?P<eight>0000{_HALF})|.)", re.DOTALL)
_BREAK = re.compile(f"\r\n|[{_BREAKS}]")
_NO_PLAIN_START = _ENDS + "-?:,[]{}#&*!|>'\"%@`"


class PureLoader(yaml.SafeLoader):
    """The events of a text as libyaml gives them."""

    # The state of PyYAML's reader, scanner and parser, and what of them is called here.
    buffer: str
    pointer: int
    index: int
    line: int
    column: int
    indent: int
    flow_level: int
    allow_simple_key: bool
    states: list[Any]
    state: Any
    get_token: Any
    parse_flow_node: Any
    peek_token: Any
    process_empty_scalar: Any
    scan_line_break: Any
    stale_possible_simple_keys: Any

    def __init__(self, text: str) -> None:
        try:
            super().__init__(text)
        except yaml.reader.ReaderError as error:
            error.reason = "control characters are not allowed"
            raise

    def get_event(self) -> Any:
        """The next event. Raises MarkedYAMLError in libyaml's words."""
        try:
            return super().get_event()  # type: ignore[no-untyped-call]
        except yaml.MarkedYAMLError as error:
            error.problem = in_words_of_libyaml(error.problem or "", error.context)
            raise

    def forward(self, length: int = 1) -> None:
        """Go on; every character but a line end is a column wide, a byte order mark too."""
        end = self.pointer + length
        for place in range(self.pointer, end):
            character = self.buffer[place]
            if character in _BREAKS and not (character == "\r" and self.buffer[place + 1] == "\n"):
                self.line += 1
                self.column = 0
            else:
                self.column += 1
        self.pointer = end
        self.index += length

    def scan_to_next_token(self) -> None:
        """Pass over blanks, comments and line ends; a tab is a blank where no indentation is read."""
        if self.index == 0 and self.peek() == "\ufeff":
            self.forward()
            self.column = 0
        while True:
            if self.column == 0 and self.peek() == "\ufeff":
                self.forward()
            while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def fetch_stream_end(self) -> None:
        """The end stands at the begin of a line, with or without a line end before it."""
        if self.column:
            self.line += 1
            self.column = 0
        self.stale_possible_simple_keys()
        super().fetch_stream_end()

    def parse_flow_sequence_entry_mapping_key(self) -> Any:
        """A key behind `?` in brackets; where it is absent, libyaml passes over the sign that follows."""
        self.get_token()
        if not self.check_token(yaml.ValueToken, yaml.FlowEntryToken, yaml.FlowSequenceEndToken):
            self.states.append(self.parse_flow_sequence_entry_mapping_value)
            return self.parse_flow_node()
        self.state = self.parse_flow_sequence_entry_mapping_value
        return self.process_empty_scalar(self.get_token().end_mark)

    def parse_flow_mapping_value(self) -> Any:
        """The value of a key in braces; one that is absent stands where what follows begins."""
        if self.check_token(yaml.ValueToken):
            self.get_token()
            if not self.check_token(yaml.FlowEntryToken, yaml.FlowMappingEndToken):
                self.states.append(self.parse_flow_mapping_key)
                return self.parse_flow_node()
        self.state = self.parse_flow_mapping_key
        return self.process_empty_scalar(self.peek_token().start_mark)

    def scan_flow_scalar(self, style: str) -> Any:
        """A quoted scalar; an escape that does not exist is told at its backslash, and one of no character at its
        number.
        """
        start, begin = self.get_mark(), self.pointer
        try:
            token = super().scan_flow_scalar(style)
        except yaml.scanner.ScannerError as error:
            if style == '"':
                self._refuse_half_characters(start, begin)
            if error.problem_mark is not None and "escape" in (error.problem or ""):
                error.context = _QUOTED
                error.problem_mark.column -= "unknown" in (error.problem or "")
            raise
        except (ValueError, OverflowError):
            # The number is that of no character: the scanner stands at it.
            self._refuse_half_characters(start, begin)
            self._fail(_QUOTED, start, _NO_CHARACTER)
        if style == '"':
            self._refuse_half_characters(start, begin)
        return token

    def _refuse_half_characters(self, start: Any, begin: int) -> None:
        """Refuse the first half of a character (U+D800 to U+DFFF) that is escaped in what is read since `begin`."""
        for found in _ESCAPE.finditer(self.buffer, begin, self.pointer):
            if found.lastgroup:
                before = _BREAK.split(self.buffer[begin : found.start(found.lastgroup)])
                mark = self.get_mark()
                mark.line, mark.column = start.line + len(before) - 1, len(before[-1])
                if len(before) == 1:
                    mark.column += start.column
                raise yaml.scanner.ScannerError(_QUOTED, start, _NO_CHARACTER, mark)

    def check_plain(self) -> bool:
        """Whether a plain scalar begins."""
        first, second = self.peek(), self.peek(1)
        if first not in _NO_PLAIN_START:
            return True
        return (first == "-" and second not in _BLANKS) or (
            first in "?:" and not self.flow_level and second not in _ENDS
        )

    def scan_plain(self) -> Any:
        """A plain scalar, on one line or several; its end is behind its last character that is no blank."""
        start = end = self.get_mark()
        indent = self.indent + 1
        text = gap = ""
        broken = False
        while not self._at_document_indicator() and self.peek() != "#":
            length = self._plain_length(start)
            if not length:
                break
            text += gap + self.prefix(length)
            self.forward(length)
            end = self.get_mark()
            self.allow_simple_key = broken = False
            if self.peek() not in _BLANKS + _BREAKS:
                break
            gap, broken = self._gap(start, indent)
            if not self.flow_level and self.column < indent:
                break
        if broken:
            self.allow_simple_key = True
        return yaml.ScalarToken(text, True, start, end)

    def scan_block_scalar_indicators(self, start: Any) -> tuple[bool | None, int | None]:
        """What stands behind `|` and `>`: whether line ends at the end are kept, and by how much the text is set in."""
        chomping, increment = None, None
        for _ in range(2):
            character = self.peek()
            if character in "+-" and chomping is None:
                chomping = character == "+"
            elif character in "0123456789" and increment is None:
                increment = int(character)
                if not increment:
                    self._fail(_BLOCK, start, "found an indentation indicator equal to 0")
            else:
                break
            self.forward()
        return chomping, increment

    def scan_block_scalar_indentation(self) -> Any:
        """The empty lines before a block scalar, and how far its text is set in, by blanks alone."""
        found = super().scan_block_scalar_indentation()
        self._refuse_tab(self.column + 1)
        return found

    def scan_block_scalar_breaks(self, indent: int) -> Any:
        """The empty lines inside a block scalar, and the indentation of the next one."""
        found = super().scan_block_scalar_breaks(indent)
        self._refuse_tab(indent)
        return found

    def _refuse_tab(self, indent: int) -> None:
        if self.column < indent and self.peek() == "\t":
            self._fail(_BLOCK, None, "found a tab character where an indentation space is expected")

    def scan_block_scalar_ignored_line(self, start: Any) -> None:
        """Blanks and a comment up to the end of the line."""
        while self.peek() in _BLANKS:
            self.forward()
        if self.peek() == "#":
            while self.peek() not in "\0" + _BREAKS:
                self.forward()
        if self.peek() not in "\0" + _BREAKS:
            self._fail(_BLOCK, start, "did not find expected comment or line break")
        self.scan_line_break()

    def _at_document_indicator(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _ENDS

    def _plain_length(self, start: Any) -> int:
        """How many characters belong to a plain scalar before a blank, an indicator or the end."""
        length = 0
        while (character := self.peek(length)) not in _ENDS:
            following = self.peek(length + 1)
            if character == ":" and self.flow_level and following in _FLOW:
                self.forward(length)
                self._fail(_PLAIN, start, "found unexpected ':'")
            if (character == ":" and following in _ENDS) or (self.flow_level and character in ",[]{}"):
                break
            length += 1
        return length

    def _gap(self, start: Any, indent: int) -> tuple[str, bool]:
        """What stands for blanks and line ends inside a plain scalar, and whether a line ended."""
        blanks, breaks = "", []
        while self.peek() in _BLANKS + _BREAKS:
            if self.peek() in _BREAKS:
                breaks.append(self.scan_line_break())
                continue
            if breaks and self.peek() == "\t" and self.column < indent:
                self._fail(_PLAIN, start, "found a tab character that violates indentation")
            if not breaks:
                blanks += self.peek()
            self.forward()
        if not breaks:
            return blanks, False
        first, *others = breaks
        if first == "\n":
            return "".join(others) or " ", True
        return first + "".join(others), True

    def _fail(self, context: str, start: Any, problem: str) -> NoReturn:
        raise yaml.scanner.ScannerError(context, start, problem, self.get_mark())


_SAID = (
    ("found character .* that cannot start any token", "found character that cannot start any token"),
    ("(mapping .*) are not allowed here", r"\1 are not allowed in this context"),
    ("sequence entries are not allowed here", "block sequence entries are not allowed in this context"),
    ("found unknown escape character .*", "found unknown escape character"),
    ("expected escape sequence of .*", "did not find expected hexdecimal number"),
    ("found unexpected document separator", "found unexpected document indicator"),
    ("expected the node content, but found .*", "did not find expected node content"),
    ("expected '<document start>', but found .*", "did not find expected <document start>"),
    ("expected (.+?),? but (?:found|got) .*", r"did not find expected \1"),
)
"""Sentences of PyYAML's scanner and parser -> those of libyaml."""
_BLOCK_ENDS = {"while parsing a block mapping": "key", "while parsing a block collection": "'-' indicator"}
"""What libyaml misses where PyYAML misses the end of a block."""


def in_words_of_libyaml(said: str, context: str | None) -> str:
    """A problem of PyYAML's scanner or parser as libyaml says it.

    >>> in_words_of_libyaml("expected ',' or '}', but got '<stream end>'", "while parsing a flow mapping")
    "did not find expected ',' or '}'"
    """
    for pattern, words in _SAID:
        found = re.fullmatch(pattern, said, re.DOTALL)
        if found is not None:
            return found.expand(words).replace("<block end>", _BLOCK_ENDS.get(context or "", "<block end>"))
    return said
