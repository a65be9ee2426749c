#pragma once

#include <streamrun/base/error.h>

#include <string>
#include <string_view>
#include <vector>

#include "flags.h"

namespace streamrun {

/// Standard output carries what was asked for, standard error all talk. Nothing here is
/// synchronised: it belongs to the main thread, before and after a job runs.

bool is_terminal(int descriptor);
/// Columns of the terminal; 0 if it is none, or its width is not known.
int terminal_width(int descriptor);
/// Whether to write colours to a stream: `--color` decides; with `auto` a terminal, unless `TERM`
/// is `dumb` or `NO_COLOR` is set to anything.
bool use_colour(int descriptor, const GlobalFlags& flags);

enum class Colour { red, yellow, green, bold };
/// The text in a colour, or as it is.
std::string coloured(std::string_view text, Colour colour, bool on);

/// Writes to standard output, all or an error: E-STORE-FULL or E-STORE-IO, thrown. When the reader
/// has gone the process ends silently, unless SIGPIPE is handled.
void print(std::string_view text);

/// Prints an error on stderr: its headline, `why:` and `try:` lines, or one line of JSON with
/// `--json`.
void print_error(const Error& error, const GlobalFlags& flags);
/// The same as text, without colour and with a newline at its end.
std::string error_as_text(const Error& error);
std::string error_as_json(const Error& error);

/// Prints `warning: …` on stderr, or a JSON line; each text once in a process, none with `-q`.
void print_warning(const std::string& text, const GlobalFlags& flags);
/// The same for `note: …`.
void print_note(const std::string& text, const GlobalFlags& flags);

/// `850ms`, `1.2s`, `3m` of milliseconds: for tables.
std::string human_duration(std::int64_t milliseconds);

/// Breaks text into lines of at most `width` characters, each after the first behind `indent`
/// blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace streamrun
