/** What a chat message asks for. */
export type Intent =
  | { readonly kind: 'task'; readonly goal: string }
  /** Talk, or a question: nobody asked for work. */
  | { readonly kind: 'none' }

const none: Intent = { kind: 'none' }

/**
 * Whether a chat message asks for work to be done, in English or Chinese. It only proposes: what is proposed passes the same
 * gate as every task. Pure, and read from how a sentence begins: "please fix …" asks, "I fixed …" tells, "how do I fix …?"
 * wants an answer. A message that begins with `task:`, `draft:` or their Chinese words always asks.
 */
export function intentOf(message: string): Intent {
  const text = withoutMentions(message)
  if (/^(?:draft|草稿)\s*[:：]\s*\S/i.test(text)) return { kind: 'task', goal: text }
  const told = /^(?:task|任务|todo|待办)\s*[:：]\s*(\S[^]*)$/i.exec(text)?.[1]
  if (told !== undefined) return { kind: 'task', goal: told.trim() }
  // What is quoted or pasted asks for nothing.
  const said = text.replace(/```[^]*?(?:```|$)/g, '\n').replace(/^>.*$/gm, '')
  return sentences(said).some(asks) ? { kind: 'task', goal: text } : none
}

function withoutMentions(message: string): string {
  return message.replace(/<(?:@[!&]?|#)\d+>/g, ' ').trim()
}

function sentences(text: string): readonly string[] {
  return [...text.matchAll(/[^.!?。！？；;\n]+(?:\.(?=\S)[^.!?。！？；;\n]*)*[.!?。！？；;\n]?/g)].map(
    ([one]) => one.trim(),
  )
}

const asks = (sentence: string): boolean => asksInEnglish(sentence) || asksInChinese(sentence)

/** Said before what is meant, once or several times. */
const opening =
  /^(?:(?:hi|hello|hey|ok|okay|so|and|then|now|also|next|first|finally|thanks|thank you|good (?:morning|evening)|bot|cofferdam|there|all|team|everyone|just|kindly|quickly|please|pls|plz)\b[\s,:!-]*)+/i
const request =
  /^(?:(?:can|could|would|will) (?:you|we|someone|somebody|anyone)|(?:i|we)(?: would|'d|’d)? (?:want|like|need) (?:you|someone|somebody) to|(?:i|we) need to|let['’]?s|help me(?: to)?|go ahead and|you should|try to|make sure to|feel free to|be so kind (?:as )?to)\b[\s,]*/i

/** What is done to code. A verb that only wants an answer (explain, show, tell) is none of them. */
const verbs = new Set(
  (
    'fix repair correct resolve solve patch debug add implement create write build make introduce generate scaffold ' +
    'refactor rewrite restructure reorganize reorganise simplify clean tidy improve optimize optimise speed reduce update upgrade bump ' +
    'downgrade pin remove delete drop strip rename move extract inline split merge combine replace change convert ' +
    'migrate port adapt adjust extend support enable disable set configure wire hook integrate document translate ' +
    'localize localise format lint test cover run rerun revert undo restore rebase backport cherry-pick deprecate ' +
    'train validate sanitize sanitise handle catch cache retry parse sort deduplicate parallelize parallelise finish ' +
    'complete continue finalize finalise polish investigate'
  ).split(' '),
)

function asksInEnglish(sentence: string): boolean {
  if (
    /^(?:please )?would you mind (?:fix|add|writ|updat|remov|renam|chang|mak|refactor|clean|test)\w*ing \S/i.test(
      sentence,
    )
  )
    return true
  let rest = sentence.replace(/^[-*•\d.)\s]+(?=[a-z])/i, '').replace(opening, '')
  rest = rest.replace(request, '').replace(opening, '')
  const [verb = '', ...object] = rest.toLowerCase().split(/[\s,:]+/)
  if (!verbs.has(verb.replace(/[^a-z-]/g, ''))) return false
  const words = object.map((word) => word.replace(/[^\p{L}\p{N}_./-]/gu, '')).filter((word) => word !== '')
  // "make sense", "run along", "test, test" and "fix it" name no work.
  return (
    words.some((word) => !idle.has(word)) &&
    !/^(?:make (?:sense|no|sure)|set (?:up )?a meeting)\b/i.test(rest)
  )
}

const idle = new Set(
  'it this that these those them so again now please up too the a an and or test testing'.split(' '),
)

const opened =
  /^(?:(?:你好|您好|嗨|大家好|好的?|那么?|然后|接着|现在|另外|还有|顺便|谢谢|机器人|请问?|麻烦你?|劳驾|帮忙|帮我们?|帮|能不能|能否|可不可以|可以|可否|你能|你可以|我想让你|我要你|我们?需要你?|需要你?|我想|想|请你|给我|给我们|来|去|再|先|快|尽快|直接)[\s，,：:、！!]*)+/
const moved =
  /^(?:把|将|给|为|对)[^，。！？]{1,40}?(?=改|换|删|移|加|修|重|升|更|合|拆|迁|翻|做|弄|补|写|添|增|优)/
const acts =
  /^(?:修复|修一下|修正|修改|修好|修|改一下|改进|改成|改为|改写|改|添加|增加|加上|加一?个?|新增|实现|重构|重写|重命名|编写|写一?个?|创建|新建|生成|更新|升级|降级|删除|删掉|移除|去掉|清理|优化|简化|替换|换成|迁移|移植|适配|支持|启用|禁用|集成|补充|补全|补上|补|翻译|格式化|调试|解决|处理|跑一?下?|运行|执行|测试|合并|拆分|提取|回滚|撤销|完善|完成|做一?个?|搭建|配置|检查并)/
/** A sentence that wants to know something, whatever it begins with. */
const wonders = /(?:怎么|怎样|如何|为什么|为何|什么|哪个|哪里|哪些|多少|几个|是否|是不是|有没有|谁)/
const refuses = /^(?:不要|别|不用|不必|无需|先别)/

function asksInChinese(sentence: string): boolean {
  if (!/\p{Script=Han}/u.test(sentence) || refuses.test(sentence)) return false
  const rest = sentence.replace(opened, '')
  if (refuses.test(rest) || (wonders.test(rest) && !/(?:好吗|可以吗|行吗|吧)/.test(rest))) return false
  const act = acts.exec(rest.replace(moved, ''))
  if (act === null) return false
  if (moved.test(rest) || rest !== sentence) return true
  // "测试通过了吗" wants to know.
  if (/吗[？?]?$/.test(rest) && !/(?:好|可以|行)吗[？?]?$/.test(rest)) return false
  const object = rest.slice(act[0].length).replace(/[了吗吧呢啊\p{P}\s]/gu, '')
  // "修好了" tells, "改一下" names nothing.
  return !/^(?:好|完|过|掉)?了/.test(rest.slice(act[0].length)) && object.length >= 2
}
