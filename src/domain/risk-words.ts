/** Words that make a text risky, with the reason why. */
export interface WordRule {
  readonly id: string
  /** The end of the sentence `The goal says "…": ` */
  readonly why: string
  /** Read on text in one line and one case; words, not letters inside other words. */
  readonly patterns: readonly RegExp[]
}

// Options may stand between a program and its verb: `npm --silent install`.
const verbOf = (programs: string, verbs: string): RegExp =>
  new RegExp(`\\b(?:${programs})(?: -\\S+){0,4} (?:${verbs})\\b`)
// What a verb acts on, in the same sentence and not far.
const near = '[^.;!?。；！？]{0,40}?'
const actsOn = (verbs: string, things: string, but = ''): RegExp =>
  new RegExp(`\\b(?:${verbs})\\b${near}\\b(?:${things})\\b${but}`)

// A thing that is only talked about: its docs, its tests, the code around it.
const about =
  '(?![- ](?:tests?|testing|fixtures?|mocks?|stubs?|docs?|documentation|readme|guide|page|notes|code|module|class|helpers?|' +
  'drivers?|clients?|adapters?|wrappers?|layer|interface|config|mode|builds?|bundles?|graph|tree|injection|inversion|' +
  'resolver|parser|types?|names?|icons?|buttons?|labels?|diagram))'

export const wordRules: readonly WordRule[] = [
  {
    id: 'install',
    why: 'installing packages reaches the network and runs code of other people; a setup command is the place for it',
    patterns: [
      verbOf('pip[0-9.]*|pipx|poetry|pdm|conda|mamba', 'install|add|download|create'),
      verbOf('uv', 'add|sync|pip|tool|run --with'),
      verbOf('npm|pnpm|yarn|bun|deno', 'i|install|ci|add|update|upgrade|dlx|exec'),
      verbOf(
        'apt|apt-get|aptitude|brew|yum|dnf|apk|zypper|snap|choco|winget|port|nix-env|gem|cargo|composer|dotnet',
        'install|add|upgrade|update|require',
      ),
      verbOf('pacman', '-s\\w*'),
      verbOf('bundle', 'install|add|update'),
      /\bgo (?:get|install) \S*[./]\S/,
      /\b(?:apt-get|easy_install|pip3? download|mix deps\.get|npx -y|npx --yes)\b/,
      /\b(?:via|with|using|through|from) (?:apt|brew|homebrew|yum|dnf|apk|pip|npm)\b/,
      actsOn(
        'install|reinstall',
        'packages?|dependenc(?:y|ies)|deps|librar(?:y|ies)|modules?|requirements',
        about,
      ),
      actsOn('update|upgrade|bump', 'packages|dependenc(?:y|ies)|deps', about),
      /(?:安装|装上|装一下|下载)[^。，,；]{0,8}(?:依赖|软件包|第三方|类库|模块|工具包|库)|(?:升级|更新)[^。，,；]{0,6}依赖/,
      /(?:pip|npm|apt|brew|yarn|pnpm)\s?(?:来)?安装/,
    ],
  },
  {
    id: 'secret',
    why: 'secrets and the files that hold them are a matter for a person',
    patterns: [
      // `process.env` and `os.environ` are no files; `.env.example` holds no secret.
      /(?<![\w)\]])\.env(?![\w])(?!(?:\.[\w-]+)*\.(?:example|sample|template|dist)\b)/,
      /\benv files?\b|(?<![\w-])config\.yaml\b/,
      /\b(?:secrets|credentials?)\b(?! (?:module|sauce|santa))/,
      /\b(?:client|shared|app|application|signing|webhook|the) secret\b/,
      /\b(?:api|access|private|secret|ssh|signing|encryption|service account)[ -]keys?\b/,
      /\b(?:access|api|auth|bearer|refresh|deploy|github|personal access)[ -]tokens?\b/,
      actsOn('read|print|show|dump|export|leak|steal|send|upload|copy|rotate', 'passwords?'),
      /\bid_(?:rsa|ed25519|ecdsa)\b|~\/\.(?:ssh|aws|gnupg|kube|docker|netrc)\b|\/etc\/(?:passwd|shadow)\b|\bkubeconfig\b/,
      /密钥|秘钥|私钥|凭据|凭证|访问令牌|api\s?key|(?:读取|打印|导出|查看|泄露|上传|修改|更换|轮换)[^。，,；]{0,6}密码|环境变量文件/,
    ],
  },
  {
    id: 'deploy',
    why: 'deploying and publishing have effects outside the repository',
    patterns: [
      new RegExp(`\\b(?:re)?deploy(?:s|ed|ing|ments?)?\\b${about}`),
      verbOf('npm|pnpm|yarn|cargo|poetry|uv|gem|vsce', 'publish|push|unpublish'),
      verbOf('docker|podman|buildah', 'push|login'),
      verbOf('kubectl', 'apply|delete|create|patch|scale|rollout|replace'),
      verbOf(
        'helm|terraform|tofu|pulumi|serverless|cdk|flyctl|fly',
        'install|upgrade|uninstall|apply|destroy|up|deploy',
      ),
      /\btwine upload\b|\bansible-playbook\b|\bgh release create\b|\bgit push\b/,
      actsOn(
        'publish|release',
        'packages?|images?|crates?|to (?:npm|pypi|crates\\.io|docker hub|production|prod)',
        about,
      ),
      /部署|上线|发布到|发版|推送到(?:远程|生产|线上)/,
    ],
  },
  {
    id: 'migration',
    why: 'migrations change data that no checkpoint brings back',
    patterns: [
      actsOn('run|apply|execute|perform|roll ?back|revert', 'migrations?', about),
      /\b(?:database|schema|data|db) migrations?\b/,
      actsOn('migrate', 'databases?|db|schemas?|tables?|production|prod|servers?|user data', about),
      /\balembic (?:upgrade|downgrade)\b|\bmanage\.py migrate\b|\bdb:(?:migrate|drop|reset|rollback|schema:load)\b/,
      /\b(?:prisma|knex|sequelize|typeorm|drizzle-kit|diesel|goose|dbmate) (?:migrate|migration|db:migrate|push|up)\b|\bflyway\b/,
      /(?:执行|运行|跑|应用|回滚)[^。，,；]{0,6}迁移|数据库迁移|迁移[^。，,；]{0,4}数据/,
    ],
  },
  {
    id: 'production',
    why: 'changing a database or a production system cannot be taken back by us',
    patterns: [
      actsOn(
        'drop|truncate|delete|wipe|purge|erase|reset|alter|overwrite|destroy|clear|restore',
        'databases?|db',
        about,
      ),
      /\b(?:drop|truncate|alter) (?:the )?(?:\w+ )?tables?\b/,
      /\bdelete from \w/,
      actsOn(
        'push|ship|release|connect|log ?in|ssh|write|copy|sync|restart|stop|shut ?down|change|modify|update|drop|delete|wipe|migrate|run',
        '(?:to|on|in|into|the|against|from) (?:the |our )?(?:live|production|prod)',
        about,
      ),
      /(?:删除|清空|修改|重置|删掉|清理|覆盖)[^。，,；]{0,8}(?:数据库|数据表|生产|线上)|删库|生产环境|线上环境|生产数据库/,
    ],
  },
  {
    id: 'remote_code',
    why: 'it runs what the network sends',
    patterns: [
      /\b(?:curl|wget|fetch|iwr|invoke-webrequest)\b[^\n]{0,400}?\| ?(?:sudo )?(?:\S*\/)?(?:(?:ba|z|da|k|fi)?sh|python[0-9.]*|node|perl|ruby|iex)\b/,
      /\b(?:ba|z|da)?sh (?:-c )?["']?(?:<\(|\$\() ?(?:curl|wget)\b|\beval ["']?\$\( ?(?:curl|wget)\b/,
    ],
  },
  {
    id: 'privilege',
    why: 'the box has no privileges and must not need any',
    patterns: [
      /\bsudo\b|\bdoas\b|\bsu -|\bas root\b|\bchmod (?:-r )?0?777\b|\bchown -r\b|\bdocker\.sock\b|--privileged\b/,
      /提权|root\s?权限|管理员权限|以\s?root/,
    ],
  },
  {
    id: 'destructive',
    why: 'it destroys what may not be there a second time',
    patterns: [
      /\brm (?:-\S+ )*-(?:\w*r\w*f|\w*f\w*r)\w*\b|\brm (?:-\S+ )*(?:-r|--recursive) (?:-f|--force)\b|\brm (?:-f|--force) (?:-r|--recursive)\b/,
      /\bmkfs\b|\bdd if=|\bgit clean -\w*[fx]|\bgit filter-(?:branch|repo)\b|\bgit reset --hard\b/,
      /\bforce[- ]?push(?:es|ed|ing)?\b|\bpush (?:\S+ ){0,4}(?:--force\S*|-f)\b|\brewrit(?:e|ing) (?:the )?(?:git )?history\b/,
      /强制推送|强推|格式化(?:硬盘|磁盘)|清空(?:仓库|磁盘|硬盘)|重写(?:提交)?历史/,
    ],
  },
]
