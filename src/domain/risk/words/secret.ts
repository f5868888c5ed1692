import { actsOn, hanOn, wordRule } from './word-rule.ts'

// A setting of `fetch` and words of other trades.
const otherCredentials = `(?![:=]? ?["']?(?:include|same-origin|omit)\\b)`

export const secret = wordRule({
  id: 'secret',
  why: 'secrets and the files that hold them are a matter for a person',
  patterns: (about) => [
    // `process.env` and `os.environ` are no files; `.env.example` holds no secret.
    new RegExp(
      `(?<![\\w)\\]?}])\\.env(?![\\w])(?!(?:\\.[\\w-]+)*\\.(?:example|sample|template|dist)\\b)(?! (?:vars?|variables?)\\b)(?: files?)?${about}`,
      'g',
    ),
    new RegExp(`\\benv files?\\b${about}|(?<![\\w-])config\\.yaml\\b`, 'g'),
    new RegExp(`\\bsecrets\\b(?!\\.[a-z_]+\\b(?<!\\.(?:ya?ml|json|toml|env|enc|txt)))${about}`, 'g'),
    new RegExp(`\\bcredentials?\\b${otherCredentials}${about}`, 'g'),
    new RegExp(
      `(?<!\\bwhat )\\b(?:client|shared|app|application|signing|webhook|jwt|session) secret\\b${about}|\\bthe secret\\b(?= (?:to|in|into|from|out)\\b|[.,;!?]|$)`,
      'g',
    ),
    new RegExp(
      `\\b(?:api|access|private|secret|ssh|signing|encryption|service account|gpg|deploy)[ -]?keys?(?![\\w-])${about}`,
      'g',
    ),
    new RegExp(
      `\\b(?:access|api|auth|bearer|refresh|deploy|github|gitlab|npm|personal access|oauth)[ -]tokens?(?! (?:rotation|refresh|storage|store|renewal))(?![\\w-])${about}`,
      'g',
    ),
    actsOn(
      'read|print|dump|export|leak|steal|send|upload|copy|rotate|extract|reveal|collect|crack',
      'passwords?|passphrases?',
      `(?! (?:resets?|changes?|strength|hash(?:es|ing)?|policy|rules|confirmation|recovery|generator))${about}`,
    ),
    /\bid_(?:rsa|ed25519|ecdsa)\b|~?\/\.(?:ssh|aws|gnupg|kube|docker|netrc)\b|(?<!\w)\.netrc\b|\/etc\/(?:passwd|shadow)\b|\bkubeconfig\b|\/proc\/(?:self|\d+)\/environ\b/g,
    new RegExp(
      `(?:密钥|秘钥|私钥|凭据|(?<!会计|记账|付款|支付|转账|缴费|交易|退款|入库|原始|上传)凭证|访问令牌|刷新令牌)${about}(?!轮换(?:功能|机制)|要?脱敏)`,
      'g',
    ),
    new RegExp(
      `(?:读取|打印|导出|查看|修改|更换|轮换|写入|上传|提交)[^。，,；]{0,6}(?:环境变量文件|配置密码)`,
      'g',
    ),
    hanOn(
      '读取|打印|导出|泄露|上传|窃取|发送|更换|轮换',
      '密码',
      `(?!重置|找回|强度|长度|规则|框|加密|哈希|登录)${about}`,
    ),
    hanOn('把[^。，,；]{0,8}(?:密码|私钥|密钥)', '打印|导出|发给|发送|上传|泄露|写进|写入'),
    hanOn(
      '修改|查看|重置|获取',
      '(?:数据库|服务器|生产|线上|root|系统|邮箱)的?密码',
      `(?!强度|长度|规则|框)${about}`,
    ),
  ],
  commands: [
    /\$\{?\w*(?:token|secret|password|passwd|api_?key|private_?key)\w*/g,
    /\bprintenv\b|(?:^|[;&|(] ?)env ?(?=$|[;&|>)])/g,
  ],
  careful:
    /\b(?:redact(?:s|ing)?|mask(?:s|ing)?|hid(?:e|es|ing)|strip(?:s|ping)?|scrub(?:s|bing)?|sanitiz(?:e|es|ing)|implement(?:s|ing)?|validat(?:e|es|ing)|pars(?:e|es|ing)|decod(?:e|es|ing)|verif(?:y|ies|ying)|renam(?:e|es|ing)|document(?:s|ing)?|mock(?:s|ing)?|stub(?:s|bing)?|fak(?:e|es|ing)|handl(?:e|es|ing)|support(?:s|ing)?|reject(?:s|ing)?|invalid|wrong|bad|missing|expired|incorrect|malformed|dummy|example)(?: (?:the|a|an|any|all|our|for|expired|invalid|missing|malformed|empty|wrong|multiple|optional|of|user)){0,3} $|(?:脱敏|隐藏|屏蔽|过滤|校验|解析|模拟|无效的?|错误的?|过期的?|缺失的?)(?:日志中的?)?$|\b(?:digits|characters|length|fingerprint|name|expiry|presence|format) of (?:the |an |a |each )?$/,
})
