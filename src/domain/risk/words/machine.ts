import { wordRule } from './word-rule.ts'

const shell = '(?:(?:ba|z|da|k|fi)?sh|python[0-9.]*|node|perl|ruby|php|iex|pwsh|powershell)'

export const remoteCode = wordRule({
  id: 'remote_code',
  why: 'it runs what the network sends',
  patterns: () => [
    new RegExp(
      `\\b(?:curl|wget|fetch|iwr|irm|invoke-webrequest|invoke-restmethod)\\b.{0,400}?\\| ?(?:sudo (?:-\\S+ )*)?(?:\\S*/)?${shell}(?![\\w.-])`,
      'g',
    ),
    /\b(?:ba|z|da)?sh (?:-c )?["']?(?:<\(|\$\() ?(?:curl|wget)\b|\beval ["']?\$\( ?(?:curl|wget)\b|(?<![\w])(?:source|\.) <\( ?(?:curl|wget)\b/g,
    /\b(?:curl|wget)\b.{0,200}?(?:&&|;) ?(?:(?:ba|z|da)?sh|source|chmod \+x) \S/g,
    /\bpip(?:e|es|ed|ing) (?:it|this|that|the (?:script|installer|download|response|url)|curl|wget)(?: \S+){0,4}? (?:in)?to (?:a )?(?:ba|z)?sh(?:ell)?\b/g,
    /\bdownload (?:and|then) (?:run|execute) (?:the |a |this |that |their )?(?:\w+ )?(?:scripts?|installers?|binar(?:y|ies)|it\b|executables?|https?:)/g,
    /\bbase64 (?:-d|--decode)\b.{0,100}?\| ?(?:ba|z|da)?sh\b|\b(?:iex|invoke-expression) ?\(|\.downloadstring\(|\bdeno run (?:-\S+ )*https?:/g,
    /下载[^。，,；]{0,12}(?:并|然后|再|后)(?:直接)?(?:运行|执行)[^。，,；]{0,6}(?:脚本|程序|安装包|二进制|它)|(?:运行|执行)(?:远程|网上的?|网络上的?)脚本/g,
  ],
})

export const privilege = wordRule({
  id: 'privilege',
  why: 'the box has no privileges and must not need any',
  patterns: (about) => [
    new RegExp(
      `(?<![\\w/.-])sudo(?![\\w-])${about}|\\bdoas\\b(?= \\S)|(?<![\\w-])su -(?= |$)|\\bpkexec\\b|\\bsudoers\\b`,
      'g',
    ),
    /\b(?:run|running|runs|execute|executed|log ?in|ssh|start|started|become|install|installed|do (?:it|this)) (?:\S+ ){0,5}?as (?:the )?root\b(?! (?:component|element|node|path|dir|directory|folder|url|layout|route|key|object|class|selector|module|package|of|file))/g,
    /\bchmod (?:-\w+ )?(?:0?777|[au]?\+s|a\+rwx|0?[4-7]7[0-7]{2})\b|\bchown -r\b|\bdocker\.sock\b|--privileged\b|\bsetcap\b|--cap-add\b|\bnsenter\b/g,
    /提权|root\s?权限|[以用]\s?root(?:\s?用户)?(?:身份)?\s?(?:运行|执行|登录|启动|安装)|以(?:系统)?管理员(?:权限|身份)(?:运行|执行|启动|安装)/g,
  ],
})

export const destructive = wordRule({
  id: 'destructive',
  why: 'it destroys what may not be there a second time',
  patterns: (about) => [
    /\brm (?:-\S+ )*-(?:\w*r\w*f|\w*f\w*r)\w*\b|\brm (?:-\S+ )*(?:-r|--recursive) (?:-f|--force)\b|\brm (?:-f|--force) (?:-r|--recursive)\b/g,
    /\brm (?:-\S+ )*(?:-\w*r\w*|--recursive) ["']?(?:\/|~|\$home|\.\.|\*)(?=["'\s*;&|]|$)/g,
    /\bmkfs(?:\.\w+)?\b|\bdd if=|\bgit clean -\w*[fx]|\bgit filter-(?:branch|repo)\b|\bgit reset --hard\b|\bshred -|\bwipefs\b|\bfind .{0,80} -delete\b|\brmtree\(["']?\//g,
    new RegExp(
      `\\bforce[- ]?push(?:es|ed|ing)?(?![\\w-])${about}|\\bpush (?:\\S+ ){0,4}(?:--force(?:-with-lease)?\\b|-f\\b)|\\b(?:rewrite|rewriting|squash) (?:the |our |all )?(?:git |commit |branch )?history\\b${about}`,
      'g',
    ),
    /\b(?:delete|remove|wipe|erase) (?:everything|all (?:the )?(?:files|data|branches|repositories|users|backups))(?=$|[.,;!?]| (?:on|in|from|under) (?:the )?(?:disk|server|machine|repo|repository|bucket|home)\b)/g,
    /\b(?:wipe|erase|format|reformat) (?:the |this |my |our )?(?:hard )?(?:disks?|drives?|partitions?|servers?|machines?)\b(?! (?:usage|size|name|list))/g,
    new RegExp(
      `强制推送${about}|强推(?!荐|理)|格式化(?:整个)?(?:硬盘|磁盘|系统盘)|(?:清空|删除|删掉)(?:整个|全部|所有)?(?:仓库|磁盘|硬盘|服务器|备份)(?!列表|名|里|中|卡)${about}|重写(?:git\\s?)?(?:提交)?历史(?!记录)|删除所有(?:文件|数据|分支|用户)(?!的)`,
      'g',
    ),
  ],
})
