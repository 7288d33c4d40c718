//! Holes in what is somebody's own, which are not mended yet.
//!
//! A hole alone is a lesson, and so is one that everybody can read of. Told of one's own
//! door, shop or program, and open still, it is a way in: words for all three must stand
//! near one another.

use std::ops::Range;
use std::sync::LazyLock;

use super::blocks::stretches;
use super::cues::{Cues, Stands};
use super::facts::stands_alone;
use super::rule::Found;

/// How far the words may stand apart, in bytes.
const REACH: usize = 700;

/// What a word speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// A hole, by its name.
    Hole,
    /// What may be a hole: two such words are one.
    Gap,
    /// Somebody's own.
    Own,
    /// Open still.
    Open,
    /// Somebody has just come upon it.
    Finding,
    /// A lesson, a story, a thing that is published.
    Told,
}

/// The words, one that ends in `*` may go on.
const WORDS: &[(Sort, &str)] = &[
    (
        Sort::Hole,
        "vulnerabilit*|vulnerable|sql injection|sqli|xss|ssrf|idor|rce|remote code execution|auth bypass|no auth check|without authentication|unauthenticated|\
         without a signature|default password*|world readable|world-readable|publicly readable|privilege escalation|security hole*|security gap*|pentest*|pen test*|\
         penetration test*|zero-day|zero day|0-day|no crypto|code execution|pre-auth|alg none|injectable|the hole|security gap|re-entrant|reentrant|reentrancy|ms17-010|bluekeep|log4shell|heartbleed|default creds|rate limiting is missing|\
         no rate limiting|0.0.0.0/0|isn't immutable|not immutable|shares the|still runs the firmware|other customers'|telnet open|cleartext|plain text password*|plaintext password*|unencrypted|spoof*|hijack*|brute force*|brute-force*|no rate limit*|guessable|predictable|path traversal|directory traversal|open redirect|csrf|injection|overflow*|use-after-free|deserializ*|deserialis*|default credential*|default login|shared password|unauthori*|tamper*|leaks|leaking|leaked|breach*|compromise*|phish*|end-of-life|out of support|no firewall|firewall is off|account takeover|take over my|take over any|take over another|just md5|only md5|plain md5|latch is broken|lock has been broken|no lock|lock is broken|picked|master key|tailgat*|cloned card*|domain admin|see anyone's|see other people's|see other customers'|other users' data|backdoor*|\
         まだ有効で|フルコントロール|全社員見え|全員見え|誰でも入|0.0.0.0/0|書き換えられる|hiddenで送|脆弱性|セキュリティホール|SQLインジェクション|認証なし|認証がな|認証せず|認可|権限がな|認証を回避|なりすまし|乗っ取|盗聴|漏えい|漏洩し|改ざん|バイパス|すり抜け|突破|開けられ|入り込|侵入|覗け|のぞけ|推測でき|総当たり|既定のパスワード|初期パスワード|デフォルトパスワード|バックドア|無防備|パッチ未|パッチが当|未適用|サポート切れ|サポート終了|認証が効|見えてしま|見られる不具合|見られてしま|誰でも見|遠隔実行|リモートコード|初期パスワードのまま|失効せず|\
         押せば開|押すと開|鍵が壊れ|錠が壊れ|電気錠が|鍵がかからな|施錠できな|鍵が閉まらな|警報が鳴らな|カメラが壊れ|\
         ペネトレ|ペンテスト|侵入でき|ドメコン|丸見え|入れてしま|開いてしま|入れることも確認|閲覧できてしま|ログインできてしま|なりすませ",
    ),
    (
        Sort::Gap,
        "internet facing|internet-facing|exposed|bypass*|exploit*|can be opened|doesn't latch|does not latch|doesn't lock|does not lock|dead since|nobody watches|nobody checks|\
         unguarded|unlocked|unpatched|no update mechanism|public repo|hardcoded|hard-coded|weakness*|security review|camera*|attacker*|\
         弱点|無人|無施錠|合鍵|死角|穴|平文|外部回線|切っている|所在不明|WAF|管理者の認証情報|既知の|攻撃|センサー|金庫室|警備",
    ),
    (
        Sort::Own,
        "our|ours|production|lab|site|we|we've|we're|i|my|hq|prod|うち|社内|社名|当社|弊社|自社|うちの|わが社|当院|当方|当店|出荷済|使用中|管理組合|来期予算|本番|御中|店の|裏口|倉庫の|工場の|事務所の|通用口|外注先|ベンダーへ|QAが|施設|県の|市の",
    ),
    (
        Sort::Open,
        "critical, open|still runs|not merged|keep off public|live on our|on production|in production|already deployed|can't take it down|cannot take it down|only fund|\
         wait for the vendor|no compensating|rescue the funds|is on holiday|arrives in|someone could|should not get out|not yet|haven't|have not|hasn't|has not|not fixed|unfixed|not patched|unpatched|none of these|isn't due|not due|no fix|no update|pending|takes until|gain time|\
         risk acceptance|accept the risk|next sprint|sprint|until|before the fix|patch is due|before autumn|still open|all tenants|every tenant|all customers|\
         今も|公開中|直せない|修理は|修理待ち|部品待ち|止められ|閉じられない|戻せて|そのまま|まだ|未修正|未対応|未配信|修正は|修正版|改修は|工事は|是正|更新は早|公表時期|早くて|暫定|リスク受容|待つしか|審査前|移行は|入っていない|連絡文を出す前|それまで",
    ),
    (
        Sort::Finding,
        "found|find|finding*|discovered|noticed|reported|turns out|turned out|it seems|confirmed|reproduced|came back|i could|anyone could|audit*|assessment|report|\
         発見|判明|わかり|分かり|見つか|気づ|確認でき|確認し|報告|指摘|診断|検査|調査|らしい|できてしま|でした",
    ),
    (
        Sort::Told,
        "cve-*|reporting a vulnerability|responsible disclosure|supported versions|security policy|if a vulnerability|memory safety issues|tutorial|ctf|lecture|textbook|blog post|what is|how does|explain what|the news|novel|とは|解説して|論文|演習|教科書",
    ),
];

struct Finder {
    cues: Cues,
    words: Vec<(Sort, bool)>,
}

static FINDER: LazyLock<Finder> = LazyLock::new(|| {
    let all = || WORDS.iter().flat_map(|(sort, list)| list.split('|').map(|word| (*sort, word)));
    let cues = all().map(|(_, word)| (word.trim_end_matches('*'), Stands::AtAStart));
    let cues = Cues::new(cues);
    Finder { cues, words: all().map(|(sort, word)| (sort, word.ends_with('*'))).collect() }
});

/// Finds the first hole in something of one's own that is open still.
pub(super) fn find(text: &str) -> Option<Found> {
    stretches(text).find_map(|stretch| {
        let at = open_hole(&FINDER.words_in(&text[stretch.clone()]))?;
        Some(Found {
            rule: "open_weakness".into(),
            family: "business",
            why: "a hole in something of one's own is told here that is not mended yet".into(),
            at: at.start + stretch.start..at.end + stretch.start,
            shaped: false,
        })
    })
}

impl Finder {
    /// The words of a text, in order.
    fn words_in(&self, text: &str) -> Vec<(Sort, Range<usize>)> {
        let mut words = Vec::new();
        self.cues.each(text, |hit| {
            let (sort, open) = self.words[hit.word];
            if stands_alone(text, hit.range(), open) {
                words.push((sort, hit.range()));
            }
        });
        words
    }
}

/// Where a hole is told of with one's own and that it is open, unless it is a lesson.
fn open_hole(words: &[(Sort, Range<usize>)]) -> Option<Range<usize>> {
    let holes = words.iter().filter(|(sort, _)| matches!(sort, Sort::Hole | Sort::Gap));
    holes.map(|(_, at)| at.clone()).find(|at| {
        let near = |wanted: Sort| {
            words.iter().filter(move |(sort, other)| {
                *sort == wanted && other.start.abs_diff(at.start) <= REACH
            })
        };
        let named = near(Sort::Hole).count();
        let is_hole = named > 0 || near(Sort::Gap).count() >= 2;
        let is_open = near(Sort::Open).next().is_some();
        let is_found = named > 0 && near(Sort::Finding).next().is_some();
        is_hole
            && (is_open || is_found)
            && near(Sort::Own).next().is_some()
            && near(Sort::Told).next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_of_ones_own_that_is_open_is_found() {
        for text in [
            "Pentest came back. Our portal lets you see anyone's bill. The fix isn't due until May.",
            "弊社の予約サイトで、番号を一つずらすと他の予約が見えてしまいます。修正は来月。",
            "店の裏口の電気錠が壊れていて、押せば開きます。修理は来月。",
            "our reset token is just md5 of the id and the date, i could take over my colleague's account. prod, all tenants",
            "The roof hatch doesn't latch and the camera over it is dead since April; we have quotes pending.",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
    }

    #[test]
    fn lessons_and_what_is_mended_are_not() {
        for text in [
            "Explain how SQL injection works and how to prevent it.",
            "What is an IDOR? We have not had that in our lecture yet.",
            "脆弱性とは何か、まだ知らない当社の新人に解説して",
            "Our release fixes the XSS in the editor.",
            "自転車の鍵が壊れた。修理は自分でできますか",
        ] {
            assert!(find(text).is_none(), "{text}");
        }
    }
}
