import { actsOn, hanOn, verbOf, wordRule } from './word-rule.ts'

/** Not the thing itself: `install script`, `update logic`. */
const thing =
  '(?! (?:scripts?|commands?|button|page|guide|docs|instructions|steps?|section|hook|prompt|dialog|of|from)\\b)'

export const install = wordRule({
  id: 'install',
  why: 'installing packages reaches the network and runs code of other people; a setup command is the place for it',
  patterns: (about) => [
    verbOf('pip[0-9.]*|pipx|poetry|pdm|conda|mamba', 'install|add|download|create|inject', about),
    verbOf('uv', 'add|sync|pip|tool|run --with', about),
    verbOf('npm|pnpm|yarn|bun|deno', 'i|install|ci|add|update|upgrade|dlx|exec', about),
    verbOf(
      'apt|apt-get|aptitude|brew|yum|dnf|apk|zypper|snap|choco|winget|scoop|port|nix-env|gem|cargo|composer|dotnet',
      'install|add|upgrade|update|require',
      about,
    ),
    verbOf('pacman', '-s\\w*'),
    verbOf('bundle', 'install|add|update', about),
    verbOf('go', '(?:get|install) \\S*[./]\\S*'),
    new RegExp(
      `(?<![\\w-])(?:apt-get|easy_install|pip3? download|mix deps\\.get|npx -y|npx --yes|uvx)\\b${about}`,
      'g',
    ),
    actsOn(
      'install|reinstall|get(?! started)|fetch|grab|upgrade',
      '(?:via|with|using|through) (?:apt|brew|homebrew|yum|dnf|apk|pip|npm)',
      about,
    ),
    // As `actsOn`, with the way it is to be got between.
    /\b(?:install|get(?! started)|fetch|grab)\b[^.;!?。]{0,40}? (?:via|with|using|through) (?:apt|brew|homebrew|yum|dnf|apk|pip|npm)\b/g,
    new RegExp(
      `(?<=^ ?|[.!?;:,。，；] ?|\\b(?:and|then|to|please|also|first) )install (?!(?:all|it|them|and)\\b|(?:\\w+-)?(?:handlers?|hooks?|listeners?|middlewares?|interceptors?|filters?|polyfills?|shims?|traps?|plugins?)\\b)[\\w@./-]+(?= (?:and|first|then|via|from|globally|locally|if|so)\\b|[,;]|\\.?$)${about}`,
      'g',
    ),
    /\badd \S+ (?:via|with|using|through) (?:apt|brew|npm|pip|yarn|pnpm|cargo)\b|\buse (?:apt|apt-get|brew|homebrew|npm|pip|yum|dnf|conda) to (?:get|install|fetch|add|download)\b/g,
    actsOn(
      `(?:re)?install${thing}`,
      'packages?|dependenc(?:y|ies)|deps|librar(?:y|ies)|modules?|requirements|packages? from \\w+',
      about,
    ),
    actsOn(`(?:update|upgrade|bump)${thing}`, 'packages|dependenc(?:y|ies)|deps|lock ?files?', about),
    hanOn(
      '(?<!已|预|被)安装(?!包)|装上|装一下|装下|装个',
      '依赖|软件包|第三方|类库|模块|工具包|插件包|(?<!仓|数据)库',
      about,
    ),
    hanOn('下载', '依赖|软件包|第三方|类库', about),
    hanOn('升级|更新', '依赖(?!注入|关系|图|项)', about),
    new RegExp(`(?:pip|npm|apt|brew|yarn|pnpm|cargo)\\s?(?:来|去)?安装${about}`, 'g'),
    new RegExp(
      `(?:用|通过|使用)\\s?(?:pip|npm|apt|apt-get|brew|yarn|pnpm|conda)\\s?(?:来|去)?(?:安装|装|下载)${about}`,
      'g',
    ),
  ],
  commands: [
    /(?:^|[;&|(] ?| -c ["']?)(?:yarn|pnpm i|bun i)(?: --\S+)* ?(?=$|[;&|)])/g,
    /\bgo mod (?:download|tidy)\b|\bpython\S* setup\.py (?:install|develop)\b|\bpip\S* (?:wheel|download)\b/g,
    /\bnpx (?:--?package|-p)\b|\bplaywright install\b/g,
  ],
})
