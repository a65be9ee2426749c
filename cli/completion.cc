#include <streamrun/base/error.h>

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "command_table.h"
#include "output.h"
#include "usage_error.h"

namespace streamrun {
namespace {

// Each script hands the words up to the cursor to `streamrun __complete` and offers what it prints:
// a candidate a line, with a tab and a description behind some. A last line `:files` asks the shell
// for file names too.

constexpr std::string_view kBash = R"(# bash completion of streamrun
_streamrun() {
  local line candidate current i
  local -a words=()
  COMPREPLY=()
  # bash cuts words at "=" too; they are put together again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    if ((i > 1)) && [[ ${COMP_WORDS[i]} == "="* || ${COMP_WORDS[i - 1]} == *"=" ]]; then
      words[${#words[@]} - 1]+=${COMP_WORDS[i]}
    else
      words+=("${COMP_WORDS[i]}")
    fi
  done
  current=${words[${#words[@]} - 1]}
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then
      while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "${current#*=}")
      compopt -o filenames 2>/dev/null
      continue
    fi
    candidate=${line%%$'\t'*}
    [[ $candidate == "$current"* ]] || continue
    [[ $current == *"="* ]] && candidate=${candidate#"${current%%=*}="}
    [[ $candidate == *"=" ]] && compopt -o nospace 2>/dev/null
    COMPREPLY+=("$candidate")
  done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
}
complete -F _streamrun streamrun
)";

constexpr std::string_view kZsh = R"(#compdef streamrun
_streamrun() {
  local line
  local -a plain open described
  for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ":files" ]]; then
      _files
    elif [[ $line == *$'\t'* ]]; then
      described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    elif [[ $line == *'=' ]]; then
      open+=("$line")
    elif [[ -n $line ]]; then
      plain+=("$line")
    fi
  done
  (( ${#described} )) && _describe 'streamrun' described
  (( ${#plain} )) && compadd -a plain
  (( ${#open} )) && compadd -S '' -a open
  return 0
}
if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
  _streamrun "$@"
else
  compdef _streamrun streamrun
fi
)";

constexpr std::string_view kFish = R"(# fish completion of streamrun
function __streamrun_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            printf '%s\n' $line
        end
    end
end
complete -c streamrun -f -a '(__streamrun_complete)'
)";

constexpr auto kScripts = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}});

}  // namespace

int completion_command(const Invocation& invocation) {
  const std::vector<std::string> names = {"bash", "zsh", "fish"};
  if (invocation.operands.empty()) {
    usage_error("completion needs the name of a shell: bash, zsh or fish",
                {"source <(streamrun completion bash)"});
  }
  const std::string& shell = invocation.operands.front();
  for (const auto& [name, script] : kScripts) {
    if (name != shell) continue;
    print(script);
    return 0;
  }
  usage_error(fmt::format("no completion for {}; there is one for bash, zsh and fish{}",
                          shell.substr(0, 64), did_you_mean(shell, names)));
}

}  // namespace streamrun
