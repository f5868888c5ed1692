import { actsOn, hanOn, verbOf, wordRule } from './word-rule.ts'

// Of the word as a noun, what it may be part of; of the verb at the start of a clause, only what one clicks on.
const clicked =
  '(?! (?:buttons?|icons?|labels?|links?|tabs?|badges?|pages?|docs?|documentation|guides?|scripts? docs?)\\b)'
const clause = '(?<=^ ?|[.!?;:,。，；] ?|\\b(?:and|then|to|please|also|now|we|you|it|must|should) )'

export const deploy = wordRule({
  id: 'deploy',
  why: 'deploying and publishing have effects outside the repository',
  patterns: (about) => [
    new RegExp(`(?<![/.\\w])(?:re)?deploy(?:s|ed|ing|ments?)?(?![\\w/])${about}`, 'g'),
    new RegExp(`${clause}(?:re)?deploy(?![\\w/])${about === '' ? '' : clicked}`, 'g'),
    verbOf('npm|pnpm|yarn|cargo|poetry|uv|gem|vsce|lerna', 'publish|push|unpublish', about),
    verbOf('docker|podman|buildah', 'push|login', about),
    verbOf('kubectl', 'apply|delete|create|patch|scale|rollout|replace|exec', about),
    verbOf(
      'helm|terraform|tofu|pulumi|serverless|cdk|flyctl|fly',
      'install|upgrade|uninstall|apply|destroy|up|deploy',
      about,
    ),
    new RegExp(
      `\\b(?:twine upload|ansible-playbook|gh (?:release create|pr merge)|git push|goreleaser release|semantic-release)\\b${about}`,
      'g',
    ),
    actsOn(
      'publish|release',
      'packages?|images?|crates?|(?:to )?(?:npm|pypi|crates\\.io|maven central|docker hub|production|prod)',
      `(?! (?:size|loading|upload))${about}`,
    ),
    /\b(?:publish|release|roll(?:ed)? out|ship|go)\b[^.;!?。]{0,30}? (?:to (?:npm|pypi|crates\.io|maven central|docker hub|(?:the )?app store|production|prod|customers)|live)\b(?! (?:reload|data|updates?|preview|region|chat|mode))/g,
    /\bcut (?:a|the|our) (?:new )?(?:\w+ )?release\b/g,
    /\bpush (?:(?:it|this|that|them|everything|the|all|your|my|our|changes?|branch|commits?|tags?|code|result|work|fix) ){0,4}(?:straight |directly )?to (?:the )?(?:origin|main|master|remote|upstream|github|gitlab|registry)\b/g,
    new RegExp(`部署(?!图|架构)${about}`, 'g'),
    new RegExp(
      `(?<!线|用户|好友|设备|玩家|司机|主播|会员|客户端|成员|节点)上线(?!下|提醒|通知|次数|人数)${about}`,
      'g',
    ),
    /发布(?:到|至|上)?\s?(?:npm|pypi|maven|docker|生产|线上|正式|服务器|应用商店|镜像|新版本|软件包)/g,
    new RegExp(`发版${about}|投产${about}`, 'g'),
    /推送?(?:代码|提交|改动|分支|镜像)?(?:到|至)\s?(?:远程|远端|生产|线上|服务器|仓库|主分支|main|master|origin|github)/g,
  ],
})

export const migration = wordRule({
  id: 'migration',
  why: 'migrations change data that no checkpoint brings back',
  patterns: (about) => [
    actsOn(
      'run|re-?run|apply|execute|perform|roll ?back|revert|create|write|add|generate|make',
      '(?:db |database |schema |data |sql |django |rails |alembic |prisma |flyway )?migrations?',
      `(?! (?:from|path|plan|banner|notice)\\b)${about}`,
    ),
    new RegExp(
      `\\b(?:database|schema|data|db|sql|django|rails|alembic|prisma) migrations?(?![\\w-])${about}`,
      'g',
    ),
    actsOn(
      'migrate',
      'databases?|db|schemas?|tables?|production|prod|servers?|user data|customer data|records',
      about,
    ),
    /\balembic (?:upgrade|downgrade|stamp|revision)\b|\bmanage\.py (?:migrate|flush|makemigrations)\b|\bdb:(?:migrate|drop|reset|rollback|schema:load|seed)\b|\bartisan migrate\b|\becto\.(?:migrate|drop|reset)\b/g,
    new RegExp(
      `\\b(?:prisma|knex|sequelize|typeorm|drizzle-kit|diesel|goose|dbmate|sqlx) (?:migrate|migration|db:migrate|push|up|db push)\\b${about}|\\bflyway\\b(?= (?:migrate|clean|repair))`,
      'g',
    ),
    hanOn('执行|运行|跑|应用|回滚|编写|新建|创建|生成|新增|写一?个', '迁移(?!学习|指南|到)', about),
    new RegExp(`(?:数据库|数据表|表结构|资料库)(?:的)?迁移${about}`, 'g'),
    hanOn('迁移', '数据(?!获取|请求|层|模型|结构|源|访问|加载|处理)|数据库|数据表|表结构', about),
  ],
})

const place =
  '(?:the |our |your )?(?:live (?:site|servers?|systems?|database|db|environment)|production|prod)\\b'

export const production = wordRule({
  id: 'production',
  why: 'changing a database or a production system cannot be taken back by us',
  patterns: (about) => [
    actsOn(
      'drop|truncate|delete|wipe|purge|erase|reset|alter|overwrite|destroy|clear|restore|nuke|empty|flush',
      '(?:databases?|db)(?! (?:tests?|test) )',
      `(?! (?:support|dependency|call|calls)\\b)${about}`,
    ),
    /\b(?:drop|truncate|alter) table (?!(?:texts?|titles?|contents?|cells?|headers?|footers?|rows?|captions?|borders?|components?|views?|widgets?|columns?|names?|labels?)\b)(?:if exists )?["\w]/g,
    new RegExp(
      `\\b(?:drop|truncate|alter) (?:the |all |all the )?(?:\\w+ )?(?<!time)tables?(?![\\w-])(?! (?:text|titles?|content|footers?|data on|borders?))${about}`,
      'g',
    ),
    /\bdelete from [\w."]+ ?(?:where\b|;)/g,
    new RegExp(
      `(?<![\\w-])(?:push|ship|release|connect|log ?in|ssh|write|copy|sync|restart|change|modify|update|drop|delete|wipe|migrate|run|execute|apply|test|verify)\\b[^.;,!?。；！？]{0,40}? (?:to|on|into|against|from) ${place}${about}`,
      'g',
    ),
    new RegExp(
      `(?<![\\w-])(?:drop|delete|wipe|restart|truncate|migrate|purge|ssh|shut ?down|reboot)\\b[^.;,!?。；！？]{0,40}? in ${place}${about}`,
      'g',
    ),
    actsOn(
      'drop|delete|wipe|clean(?: up)?|clear|truncate|restart|stop|migrate|purge|modify|update|change|touch|access|query|dump|export|reset|connect to',
      '(?:production|prod|live) (?:data|database|db|servers?|systems?|tables?|environment|cluster|instances?|hosts?)',
      about,
    ),
    /(?<![\w-])(?:update|insert|change|modify|delete|remove|write|fix|set|add|drop|run|execute)\b[^.;,!?。；！？]{0,40}? (?:in|on|to|into|from) (?:the |our |your )?(?:production|prod|live) (?:data|database|db|servers?|systems?|tables?|cluster)\b/g,
    hanOn(
      '删除|删掉|清空|重置|清理|覆盖|修改|销毁|截断',
      '数据库|数据表|资料库',
      `(?!名|里的缓存|驱动|中间件)${about}`,
    ),
    hanOn(
      '删除|删掉|清空|重置|清理|覆盖|修改|(?<!更|修|整|涂)改(?!造|进|善|版)|更新|重启|停止|停掉|关闭|连接|连到|登录|操作|同步|写入|执行|推送?到|切到|切换到|在|到|直连',
      '(?:生产|线上|正式)(?:环境|库|数据库?|服务器?|系统|机器|集群|配置)',
      `(?!下|中|里|的?(?:报|打|日|构))${about}`,
    ),
    /删库(?!存)/g,
  ],
  commands: [/\bdelete from \w/g, /\bdrop(?:db|user)\b/g],
})
