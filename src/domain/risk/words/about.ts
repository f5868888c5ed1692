// What follows a word that is only talked about: its docs, its tests, the code around it.
const nouns = `
  tests? testing specs? fixtures? mocks? mocking stubs? fakes? docs? documentation readme guides? pages? notes section instructions
  tutorial chapter comments? docstrings? examples? snippets? badges? links?
  code modules? class(?:es)? functions? methods? helpers? drivers? clients? adapters? wrappers? layers? interfaces? handlers?
  handling hooks? components? services? providers? middlewares? interceptors? managers? factory repository utils? utilities
  config configuration settings modes? builds? bundles? bundler graph trees? injection injector inversion container resolver
  resolution parser parsing validator validation validity checker checks? formats? formatting types? typings? names? naming
  models? schemas? fields? forms? inputs? columns? rows? cells? captions? headers? params? parameters? query queries
  icons? buttons? labels? diagrams? dialogs? modals? screens? views? menus? tabs? cards? widgets? toggles? tooltips? placeholders?
  banners? toasts? dropdowns? wizard prompts? breadcrumbs?
  errors? failures? fails failed failing messages? warnings? bugs? crash(?:es)? exceptions? outputs? logs? logging logger
  events? status(?:es)? state history(?! table) counts? counter timers? times? timestamps? dates? durations?
  support integration api endpoints? routes? routers? flows? logic lifetimes? lifecycle expiry expiration expired
  fingerprints? derivation prefix(?:es)? lengths? comparison
  connections? pools? pooling sessions? cursors? transactions? handles? cache caching abstraction
  `
  .trim()
  .split(/\s+/)
  .join('|')

const hanNouns =
  '文档|说明|按钮|页面|测试|单测|指南|教程|图标|文案|标签|菜单|样式|组件|逻辑|模块|代码|函数|方法|字段|表单|输入框|校验|' +
  '验证|提示|错误|报错|异常|日志|状态|流程|注释|失败|名称|列表|弹窗|界面|接口|类型|解析|格式|功能|时间|日期|事件|驱动|' +
  '连接|适配|封装|抽象|查询|缓存|图表|示例|章节|向导|进度|记录|统计|模式|构建|打包|时的|时会'

/** Ends a pattern whose words may be followed by what they are only about. */
export const about =
  `(?!["')]?(?:[- ]|\\.(?=md\\b|rst\\b|txt\\b|html\\b))(?:${nouns}|md|rst|txt|html)(?![\\w-]))` +
  `(?! ?的?(?:${hanNouns}))`

// Before words that are not asked for but ruled out.
const modifier =
  'to|ever|even|please|using|use|uses|running|run|touching|touch|reading|read|changing|change|edit|editing|modify|modifying|commit|' +
  'print|log|logging|need|needs|needing|require|requires|requiring|trigger|perform|do|any|the|a|an|our|your|my|their|real|actual|' +
  'new|extra|additional|more|hard-?coded|leaked|committed|accidental|plain-?text'
const ruledOut = new RegExp(
  "(?:(?<!why )(?<!can )\\b(?:do not|don'?t|does not|doesn'?t|must not|mustn'?t|should not|shouldn'?t|will not|won'?t|cannot|can'?t|" +
    'never|without|avoid|avoids|avoiding|no need (?:for|to)|instead of|rather than|not|no|' +
    'forbids?|forbidding|bans?|disallows?|prevents?|preventing|detects?|detecting|warns? about)' +
    // `do not touch x or `
    `(?: (?:${modifier})){0,4}(?: [\\w./-]+,? (?:or|nor)(?: (?:${modifier})){0,2})? ?[("']?$)|` +
    '(?:不要|不用|不必|不需要|无需|勿|禁止|避免|不得|不可以?|不会|(?<!能)不能|(?:^|[\\s，,。；;、:：]|请|先|千万|你)别)' +
    '(?:再|去|直接|手动|自动|进行|执行|运行|使用|用|通过|做|任何|碰|改|动|读取?|修改|触发|依赖|引入| )*$',
)

// Before words that a text explains or tests.
const explained =
  /\b(?:if|when|whether) (?:(?:the|a|an|its|our) )?(?:\w+ )?(?:is|are|was|runs?|gets?) $|\b(?:how|where|when|whether|why) (?:to|you|we|they|users|people|it)(?: \w+)? $|\b(?:tests?|docs?|documentation|readme|types?|notes|tutorial|guide|examples?|instructions|page|section|chapter) (?:for|of|about|on|that explains?) (?:the |our |how to )?$|(?:如何|怎么|怎样|关于)(?:使用|进行|去)?\s?$/

/** Whether words that stand after `before` are ruled out or explained there, not asked for. */
export function onlyTalkedAbout(before: string): boolean {
  return ruledOut.test(before) || explained.test(before)
}
