//! Business that is not public yet: a merger, a lay-off, a result, a limit in a negotiation.
//!
//! What is told must be somebody's own, or said to be untold: "how mergers work" is a
//! lesson, "our merger with Larkfield is announced on the 19th" is none.

use super::marking::is_said;
use super::rule::{Hit, Rule};

const UNTOLD: &str = "this is business that is not public yet";

const fn untold(
    id: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { id, family: "business", why: UNTOLD, cues, pattern, check }
}

/// Business that is not public yet.
pub(super) const BUSINESS: &[Rule] = &[
    Rule {
        id: "unannounced",
        family: "business",
        why: UNTOLD,
        cues: &[
            "unannounced",
            "not yet",
            "announce",
            "non-public",
            "nonpublic",
            "not public",
            "undisclosed",
            "unreleased",
            "unpublished",
            "before",
            "embargo",
            "secret",
            "yet to be",
            "confidential",
            "until",
            "internal",
            "made public",
            "unfiled",
            "not disclosed",
            "no patch",
            "quiet",
            "pre-release",
            "leak",
        ],
        pattern: r"(?:\b(?:un-?announced|non-?public|not (?:yet )?(?:been )?(?:public(?:ly)?|announced|disclosed|released|published|known|patched|filed)|undisclosed|unreleased|unpublished|unfiled|yet to be (?:announced|disclosed|published|made public)|has(?:n't| not) been (?:made public|announced|disclosed|released|published|filed)|haven't (?:announced|told|disclosed)|before (?:it(?:'s| is)|the|we|they|our|any)? ?(?:public|announce\w*|disclos\w*|press release|earnings (?:call|release)|official\w*)|ahead of (?:the|our|any) (?:announcement|earnings|press release|disclosure)|pre-announcement|not (?:be )?(?:announced|public|disclosed|made public) (?:until|before|yet)|will be announced|won't be announced|to be announced (?:on|next|in)|under embargo|secret(?:ly)?|until (?:the )?(?:announcement|signing|closing|it is (?:announced|public))|nobody outside|keep (?:it |this )?quiet)\b[^\n]*?@BUSINESS@|@BUSINESS@[^\n]*?\b(?:un-?announced|non-?public|not (?:yet )?(?:been )?(?:public(?:ly)?|announced|disclosed|released|published|known)|undisclosed|unreleased|unpublished|yet to be (?:announced|disclosed|published|made public)|has(?:n't| not) been (?:made public|announced|disclosed|released|published|filed|communicated)|have(?:n't| not) (?:been )?(?:announced|told|disclosed|communicated)|before (?:it(?:'s| is)|the|we|they|our|any)? ?(?:public|announce\w*|disclos\w*|press release|earnings (?:call|release))|ahead of (?:the|our|any) (?:announcement|earnings|press release)|until (?:the )?(?:announcement|signing|closing|press release|it is (?:announced|public)|we announce|announced)|not (?:be )?(?:announced|public|disclosed|made public) (?:until|before|yet)|will be announced|won't be announced|to be announced (?:on|next|in)|under embargo|in secret|secretly|do(?:es)?(?: not|n't) know(?: yet| about)?|nobody outside|stays? quiet)\b)",
        check: is_said,
    },
    Rule {
        id: "unannounced",
        family: "business",
        why: UNTOLD,
        cues: &["we ", "our ", "board", "company", "management"],
        pattern: r"\b(?:we|the board|our (?:board|ceo|company|management|leadership)|management|the company)(?:'re| are| is| will| plan(?:s|ned)?| intend(?:s)?| have(?: decided)?| has(?: decided)?| decided| approved| agreed| expects?)?[ ](?:secretly |quietly |also |now |about |going |planning |preparing |looking |intending |to |the |be |in (?:final |advanced |late-stage |exclusive )?(?:talks|negotiations|discussions) (?:to|with)[^\n.]{0,30}? ?|on ){0,5}(?:acquir(?:e|ing) (?:-?i?\b)?[A-Za-z0-9]|acquisition of |buy(?:ing)? (?:out )?(?:[A-Za-z0-9]{2,20} )(?:for|at) (?:USD|EUR|\$|€|£|¥|\d)|lay(?:ing)? off|layoffs? (?:of|will|affect)|cut(?:ting)? \d+ ?%? (?:of (?:the|our) )?(?:jobs|staff|workforce|positions|roles)|let(?:ting)? go (?:of )?\d|clos(?:e|ing) (?:the|our) [\w ]{3,30}(?:plant|office|factory|site)|merg(?:e|ing) with|divest|sell(?:ing)? (?:the|our) [\w ]{3,30}(?:division|unit|business)|terminat(?:e|ing) (?:\d|the contract with))",
        check: is_said,
    },
    Rule {
        id: "unannounced_ja",
        family: "business",
        why: UNTOLD,
        cues: &[
            "未発表",
            "未公表",
            "未公開",
            "公表前",
            "発表前",
            "公開前",
            "内示",
            "解禁前",
            "開示前",
            "リリース前",
            "まだ公",
            "まだ発表",
            "発表まで",
            "公表まで",
            "公開まで",
            "非公開",
            "まだ知",
            "インサイダー",
            "伏せ",
            "極秘",
            "水面下",
            "対外発表",
            "正式発表",
            "適時開示",
            "出願",
            "リリース前",
            "まだ",
            "知らせて",
            "伝えて",
            "前の",
        ],
        pattern: r"(?:(?:未発表|未公表|未公開|公表前|発表前|公開前|解禁前|開示前|リリース前|まだ(?:公表|発表|公開|開示)|(?:発表|公表|公開|開示|解禁)(?:する)?まで|対外(?:的には)?(?:発表|公表)前|非公開|まだ(?:誰も|社員|社内|現場)(?:は|には|に)?(?:知|伝|言)|水面下|極秘裏?に?|インサイダー|社外に(?:は)?出て(?:い)?ない|正式発表(?:は|前|まで)|適時開示(?:前|は|まで))[^\n]*?@JBUSINESS@|@JBUSINESS@[^\n]*?(?:未発表|未公表|未公開|公表前|発表前|公開前|解禁前|開示前|まだ(?:公表|発表|公開|開示)|(?:発表|公表|公開|開示)(?:する)?まで|非公開|まだ(?:誰も|社員|社内|現場)|水面下|極秘|インサイダー|社外に(?:は)?出て|正式発表(?:は|前|まで)|適時開示(?:前|は|まで)|伏せ|されてい(?:ない|ません)|していない|しておらず|しておりません)|(?:人事異動|異動|昇格|役員人事|組織変更|昇進|降格|転勤)の?内示|(?:出願|公開|発表|公表|開示|リリース|解禁|告知|報道|決算発表|正式発表|記者会見)(?:される)?前の(?:発明|特許|情報|内容|資料|製品|数字|決算|案件|技術|仕様|新|内部|価格|計画|企画|データ|研究|論文|サービス|機能|モデル|商品)|(?:社員|従業員|社内|現場|取引先|市場|株主|組合|顧客|世間|マスコミ|外部)(?:に|には|へは?)(?:まだ|一切)?(?:知らせ|伝え|公表し|発表し|説明し|開示し|通知し|明かし|話し)(?:てい|て)?(?:ない|ません|ておらず|ていない))",
        check: is_said,
    },
    untold(
        "layoff_plan",
        &[
            "layoff",
            "lay off",
            "laying off",
            "redundanc",
            "job cut",
            "headcount",
            "severance",
            "let go",
            "workforce",
            "reduction in force",
            "downsiz",
            "positions",
            "shut down",
            "will shut",
            "closure",
            "relocat",
        ],
        concat!(
            r"(?:\b(?:layoffs?|lay(?:ing)? off|redundanc(?:y|ies)|job cuts|headcount (?:reduction|cuts?)|severance|workforce reduction|reduction in force|downsizing|(?:plant|office|site|store|branch|depot|factory) closures?)\b",
            r"[^\n]{0,120}?(?:\b\d{1,5} (?:people|staff|employees|positions|roles|jobs|posts|engineers|heads|workers)\b|\bnot (?:yet )?(?:been )?(?:informed|told|consulted|notified|known|aware)\b|\bnotices? (?:on|goes?|period)\b|\bworks council\b|\bunion\b|\blist (?:has|is|includes|of names)\b|\b(?:our|next (?:week|month|quarter))\b)",
            r"|\b(?:we|our|the board|management|the company|i)\b[^\n.]{0,60}?\b(?:lay(?:ing)? off|layoffs?|redundan\w+|job cuts|let(?:ting)? (?:go of )?\d+|cut(?:ting)? \d+ (?:jobs|roles|positions|people|posts))",
            r"|\b(?:the|our) (?-i:[A-Z][a-z]+) (?:office|plant|site|factory|store|branch|depot|warehouse|lab|team)\b[^\n.]{0,30}?\b(?:will|is going to|is to|shall|to be) (?:be )?(?:shut|clos|sold|mov|relocat|wound)\w*)",
        ),
        is_ours,
    ),
    untold(
        "early_numbers",
        &[
            "revenue",
            "ebitda",
            "guidance",
            "earnings",
            "profit",
            "margin",
            "cash",
            "runway",
            "burn",
            "forecast",
            "covenant",
            "arr",
            "bookings",
            "shortfall",
            "overrun",
            "valuation",
            "cap table",
            "term sheet",
            "dividend",
            "write-off",
            "impairment",
        ],
        concat!(
            r"(?:\b(?:before|ahead of|prior to|until|embargo\w*|draft|unaudited|preliminary|flash|pre-close|not (?:yet )?(?:final|public|audited)|board (?:pack|deck|paper|meeting|memo)|investor(?:s)? (?:do|don|deck|update)|lenders?|the bank|cfo|ceo|confidential|internal)\b",
            r"[^\n]{0,140}?\b(?:revenue|ebitda|guidance|earnings|profit|operating (?:income|profit|loss)|net (?:income|loss)|gross margin|cash|runway|burn|forecast|covenants?|arr|bookings|shortfall|valuation|dividend|impairment)\b[^\n]{0,40}?(?:[$€£¥]? ?\d[\d.,]*(?: ?(?:m|mn|bn|k|million|billion|thousand|months|weeks|%)\b|%)|\b(?:miss|cut|breach|lower|down)\b)",
            r"|\b(?:we|our|we'll|we're|we've)\b[^\n.]{0,80}?\b(?:revenue|ebitda|guidance|earnings|profit|net loss|gross margin|cash|runway|burn(?: rate)?|covenants?|arr|bookings|shortfall|valuation|cap table|term sheet)\b[^\n.]{0,50}?(?:[$€£¥]? ?\d[\d.,]* ?(?:m|mn|bn|k|million|billion|months|weeks|%)|\b(?:will|going to|about to) (?:miss|breach|cut|fall|run out)\b)",
            r"|\b(?:q[1-4]|h[12]|fy ?\d\d|full[- ]year|quarter\w*|year[- ]end)\b[^\n]{0,60}?\b(?:before (?:release|the call|earnings|announcement|publication|the market)|draft|unaudited|prelim\w*|not (?:yet )?(?:public|out|released|announced)))",
        ),
        is_ours,
    ),
    untold(
        "negotiation_limit",
        &[
            "settle",
            "go up to",
            "walk away",
            "walk-away",
            "bottom line",
            "lowest",
            "maximum",
            "max ",
            "discount",
            "ceiling",
            "floor",
            "reserve price",
            "batna",
            "highest",
            "counter",
            "open at",
            "they pay us",
            "pays us",
            "we pay",
            "bid",
            "limit",
        ],
        concat!(
            r"(?:\b(?:we|we'd|we'll|we can|i|i'd|i'll|our (?:client|side|board|limit|max\w*|ceiling|floor|bottom line|reserve price|walk-?away|batna))\b[^\n.]{0,60}?\b(?:go(?:ing)? (?:up|down|as high|as low) (?:to|as)|settle (?:for|at)|accept|pay up to|open (?:at|with)|walk away (?:at|above|below|if)|is|at most|no (?:more|less) than|max(?:imum)?(?: of)?|drop to)\b[^\n]{0,20}?[$€£¥]? ?\d[\d.,]*(?: ?(?:k|m|mn|bn|%|million|thousand))?\b[^\n]{0,80}?(?:\bbut\b|\bopen\b|settle|negotiat|claim|offer|seller|buyer|vendor|supplier|don't tell|other side|they)",
            r"|\b(?:discount|price|rebate|offer|budget|limit|bid)\b[^\n.]{0,30}?\b(?:max(?:imum)?|up to|limit|floor|lowest|ceiling)\b[^\n]{0,20}?\d[^\n]{0,40}?\b(?:don't|do not|not to|never|without) (?:tell|say|mention|reveal|disclose|show|saying|telling)",
            r"|\b(?:they|customer|client|supplier|vendor|we) pays? (?:us|them|only)\b[^\n.]{0,12}?[$€£¥]? ?\d[\d.,]*",
            r"|\bsettlement (?:strategy|range|authority|position|ceiling|floor|offer|figure)\b[^\n]{0,60}?\d)",
        ),
        is_ours,
    ),
    untold(
        "secret_plan_ja",
        &[
            "取締役会",
            "社長交代",
            "後任",
            "役員会",
            "公表",
            "発表",
            "開示",
            "通知",
            "資金繰り",
            "人員整理",
            "買収",
            "合併",
            "閉鎖",
            "撤退",
            "下方修正",
            "上方修正",
            "値引き",
            "原価",
            "仕入",
            "粗利",
            "入札",
            "応札",
            "見積",
            "希望退職",
            "リストラ",
            "不足",
            "統合",
            "売却",
            "新ブランド",
            "新製品",
            "新商品",
            "出願",
            "閉店",
            "閉め",
            "倒産",
        ],
        concat!(
            r"(?:@JPLAN@[^\n]{0,60}?(?:(?:公表|発表|開示|通知|告知|報告|説明|伝えるの|公開|リリース)は[^。\n]{0,16}?(?:後|前|予定|来[週月年期]|月|日|まで|待)|[0-9]{1,2}月(?:末|中|上旬|下旬)?(?:に|で)(?:発表|公表|閉|解散|終了)|未公表|未発表|未定|極秘|内密|内示|伏せ|知られ|(?:社員|従業員|本人|組合|取引先|銀行|株主|市場)(?:に|へ)(?:は|も)?(?:まだ|来[週月])|来[週月年期]|今期|今月|不足|下方修正|上方修正|当社|弊社|うちの|我が社|自社)",
            r"|(?:公表|発表|開示|出願|通知|決算発表|リリース|契約|調印|合意)(?:の|する)?(?:直)?前(?:の|で|に|な|、|ですが|だが)[^\n]{0,60}?@JPLAN@",
            r"|(?:当社|弊社|うち|我が社|自社)の?[^\n。]{0,30}?(?:資金繰り|粗利|原価|仕入(?:れ)?(?:値|価格)|値引き(?:限度|上限)|最低(?:価格|落札)|入札(?:額|価格)|応札額|下限|上限)[^\n。]{0,30}?[0-9]",
            r"|(?:値引き?|値下げ|見積|入札|応札|交渉|買取|仕入れ?)(?:の)?(?:限度|上限|下限|予定価格|最低ライン|目標額)[^\n。]{0,16}?[0-9])",
        ),
        is_ours_ja,
    ),
    untold(
        "own_weakness",
        &[
            "sqli",
            "sql injection",
            "idor",
            "xss",
            "ssrf",
            "rce",
            "bypass",
            "vulnerab",
            "unpatched",
            "exploit",
            "backdoor",
            "default password",
            "pentest",
            "pen test",
            "security hole",
            "open port",
            "exposed",
            "misconfigur",
            "not patched",
            "weak admin",
            "path traversal",
            "csrf",
            "privilege escalation",
            "data breach",
            "leaked",
        ],
        concat!(
            r"(?:\b(?:our|we|my company'?s|the client'?s|client|customer'?s|prod(?:uction)?|live|their)\b[^\n]{0,90}?\b(?:sqli|sql injection|idor|xss|ssrf|rce|bypass|vulnerab\w+|unpatched|backdoor|security (?:hole|flaw)|exposed|misconfigur\w+|path traversal|csrf|privilege escalation|exploit\w*|breach|leak\w*)\b",
            r"[^\n]{0,90}?\b(?:still (?:open|live|there|works|exploitable|unfixed|unpatched)|not (?:yet )?(?:been )?(?:fixed|patched|public|disclosed|announced|reported|remediated|mitigated)|un(?:fixed|patched|disclosed|remediated)|haven't (?:fixed|patched|told|disclosed)|hasn't been (?:fixed|patched)|don't know|do not know|no fix|no patch|until (?:the )?(?:fix|patch|release)|works in prod|reproduc\w+ (?:on|in) (?:prod|live)|before (?:we|the) (?:fix|patch|disclos|announc))",
            r"|\b(?:pen(?:etration)?[ -]?test|security audit|red team|bug bounty|assessment)\b[^\n]{0,60}?\b(?:finding|report|result)s?\b[^\n]{0,120}?\b(?:[\w-]+\.(?:com|net|org|io|co|local|internal|corp|jp|de|uk)\b|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|/[a-z]{2,20}/))",
        ),
        is_ours,
    ),
    untold(
        "own_weakness_ja",
        &[
            "脆弱性",
            "不備",
            "診断",
            "侵入",
            "漏えい",
            "漏洩",
            "穴",
            "未修正",
            "未対応",
            "直していない",
            "バックドア",
            "見えてしまう",
            "見える",
        ],
        concat!(
            r"(?:(?:当社|弊社|うち|自社|本番|顧客|客先|我が社|社内|公開中)[^\n]{0,80}?(?:脆弱性|SQLインジェクション|XSS|認証(?:回避|不備)|他人の[^\n。]{0,12}見え|穴|バックドア|設定ミス|漏えい|漏洩)[^\n]{0,60}?(?:未修正|未対応|未公表|直して(?:い)?(?:ない|ません)|修正(?:前|中|待ち|できていない)|放置|公表前|まだ|パッチ(?:前|なし|未)|知らない)",
            r"|(?:脆弱性|不備|漏えい|漏洩)[^\n]{0,60}?(?:当社|弊社|うちの|自社|本番)[^\n]{0,60}?(?:未修正|未対応|まだ|未公表|直して(?:い)?ない|放置)",
            r"|(?:未修正|未対応|未公表|直していない)の?(?:脆弱性|不備|穴)[^\n]{0,60}?(?:当社|弊社|うち|自社|本番|\.(?:jp|com|net)))",
        ),
        is_ours_ja,
    ),
];

/// The matters of business. Kept apart so that the expressions can be read.
pub(super) const MATTERS: &[(&str, &str)] = &[
    (
        "@BUSINESS@",
        r"(?:merger|acqui(?:sition|re|ring)|takeover|buy-?out|layoffs?|lay(?:ing)? off|redundanc(?:y|ies)|job cuts|headcount reduction|reduction in force|restructuring|earnings|revenue|results|guidance|profit|forecast|ipo|listing|funding round|series [a-f]\b|term sheet|valuation|divest\w*|spin-?off|reorgani[sz]ation|reorg|plant closure|office closure|shut(?:ting)? down|ceo|cfo|cto|resign\w*|successor|partnership with|joint venture|product launch|launch of|roadmap|price increase|recall|lawsuit|settlement|bankruptcy|insolvency|dividend|stock split|share buyback|tender|bid for|deal with|contract with|breach|vulnerability|zero-?day|drug trial|trial results|quarter(?:ly)?|Q[1-4]\b|sale of|project [A-Z]\w+|talks with|negotiat\w+|invest(?:ment|ing|or)\w*|patent|invention|security (?:hole|flaw|bug|issue)|exploit|deal\b|stake in|offer|clinical|findings|specification|prototype|price (?:change|cut|list)|new (?:product|model|feature|pricing)|closing (?:the|our)|appointment|departure|hire of)",
    ),
    (
        "@JBUSINESS@",
        r"(?:買収|合併|統合|M&A|TOB|MBO|決算|業績|売上|利益|赤字|減益|増益|人員削減|リストラ|希望退職|早期退職|解雇|人事異動|異動|人事|役員|社長|後任|退任|辞任|組織改編|組織変更|事業売却|売却|撤退|閉鎖|工場閉鎖|提携|資本提携|業務提携|新製品|新商品|新サービス|新機種|新型|発売|価格改定|値上げ|上場|IPO|増資|資金調達|倒産|民事再生|訴訟|和解|リコール|不祥事|情報漏洩|情報漏えい|配当|自社株|株式分割|契約|入札|案件|プロジェクト|開発コード|仕様|脆弱性|ロードマップ|計画)",
    ),
    (
        "@JPLAN@",
        r"(?:社長交代|代表交代|後任|役員人事|人事案|資金繰り|人員整理|人員削減|リストラ|希望退職|買収|合併|統合|売却|閉鎖|閉店|撤退|倒産|廃業|事業譲渡|提携|増資|下方修正|上方修正|営業利益|業績|決算|赤字|減損|新ブランド|新製品|新商品|新機種|新店|出店|値上げ|価格改定|発明|特許|商標|リコール|不正|情報漏えい|情報漏洩|店を閉め|来[年月][0-9]*月?で閉め)",
    ),
];

/// Whether a match is about the writer's own business, and is no lesson, template or news.
fn is_ours(hit: &Hit<'_>) -> bool {
    const GENERAL: &[&str] = &[
        "explain",
        "what is",
        "what are",
        "what does",
        "how to",
        "how do i",
        "definition",
        "meaning of",
        "difference between",
        "template",
        "example of",
        "fictional",
        "hypothetical",
        "case study",
        "textbook",
        "in general",
        "generic",
        "sample",
        "imaginary",
        "invented",
        "news:",
        "newspaper",
        "quiz",
        "essay",
        "article about",
        "blog post about",
        "public filing",
        "annual report says",
        "press release:",
        "wikipedia",
        "history of",
        "announced today",
        "[company]",
        "{company}",
        "<company>",
        "novel",
        "role-play",
        "cheat sheet",
        "owasp",
        "cve-",
        "log4shell",
        "tutorial",
        "juice shop",
        "dvwa",
        "lab exercise",
        "ctf",
        "checklist",
    ];
    let around = hit.around(160);
    !GENERAL.iter().any(|sign| around.contains(sign)) && is_said(hit)
}

/// The same in Japanese.
fn is_ours_ja(hit: &Hit<'_>) -> bool {
    const GENERAL: &[&str] = &[
        "とは",
        "の違い",
        "仕組み",
        "一般的",
        "一般論",
        "テンプレート",
        "雛形",
        "ひな形",
        "架空",
        "例文",
        "サンプル",
        "歴史",
        "ニュース",
        "記事",
        "用語",
        "説明文",
        "書き方",
        "作り方",
        "注意点",
        "空欄",
        "勉強",
        "入門",
        "教科書",
        "小説",
        "を教えて",
        "机上演習",
        "事例",
        "報道",
        "仮の",
    ];
    let around = hit.around(120);
    !GENERAL.iter().any(|sign| around.contains(sign)) && is_said(hit)
}

#[cfg(test)]
mod tests {
    use super::super::rule::Rules;
    use super::*;

    fn found(text: &str) -> bool {
        let mut any = false;
        Rules::new(&[BUSINESS]).unwrap().scan(text, false, &mut |_| {
            any = true;
            false
        });
        any
    }

    #[test]
    fn what_is_not_public_yet_is_found() {
        for text in [
            "Rewrite the layoff plan: 40 positions in Porto, works council not yet informed",
            "H1 numbers before the call: revenue 12.4m, we will miss guidance",
            "We'd settle for 80k but open at 40k, write to the claimant",
            "our login bypass is still open in prod",
            "取締役会: 社長交代の件、公表は来月の総会後",
            "当社の予約画面で他人の予約が見える、まだ直していない",
        ] {
            assert!(found(text), "{text}");
        }
    }

    #[test]
    fn lessons_and_news_are_not() {
        for text in [
            "Explain what a layoff plan is and how to announce 40 job cuts",
            "Break-even: fixed 9,000, price 15, variable 6",
            "What is an IDOR? our course needs an example",
            "社長交代の挨拶文の書き方",
            "脆弱性診断とは",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
