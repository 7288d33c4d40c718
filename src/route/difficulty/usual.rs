//! Things that are made in a known way, in English and Japanese: they speak for medium work.
//!
//! Data alone, in the form that `english` and `japanese` describe.

/// What an ordinary piece of work leaves behind.
pub(super) const ENGLISH: &str = "\
    script, shell script, bash script, python script, function, helper, helper function, class, \
    component, web component, react component, vue component, widget, hook, middleware, \
    endpoint, rest endpoint, route, controller, handler, page, landing page, settings page, \
    profile page, admin page, form, login form, contact form, modal, dialog, dropdown, sidebar, \
    navbar, menu, toggle, search box, search field, filter, date picker, data table, chart, \
    bar chart, pie chart, line chart, dashboard, progress bar, carousel, accordion, \
    tooltip component, stylesheet, unit test, unit tests, integration test, e2e test, \
    component test, test case, tests for, tests, fixture, mock, sql query, query that, view, \
    stored procedure, trigger, csv importer, importer, exporter, export button, csv export, \
    pdf export, cli, cli tool, command line tool, subcommand, flag that, option that, \
    config loader, cron job, github action, github workflow, workflow, makefile, dockerfile, \
    compose file, docker image, helm chart, terraform module, ansible playbook, playbook, \
    systemd unit, nginx config, backup script, healthcheck, health check, health indicator, \
    plug, decorator, wrapper, client for, sdk, adapter, serializer, validator, formatter, \
    scraper, spider, crawler, bot, slack bot, discord bot, telegram bot, webhook, notification, \
    email notification, push notification, reminder email, welcome email, newsletter, e mail to, \
    email to, mail to, reply to, letter, cover letter, motivation letter, \
    letter of recommendation, reference letter, complaint letter, apology, invitation, \
    announcement, press release, blog post, blog article, article, essay, short story, story, \
    poem, speech, toast, eulogy, script for, sketch, dialogue, product description, job advert, \
    job ad, job posting, job description, interview questions, questionnaire, survey questions, \
    quiz, worksheet, lesson plan, lesson, exercise, exercises, homework, flashcards, study plan, \
    training plan, workout plan, meal plan, recipe, itinerary, travel plan, day trip, checklist, \
    packing list for, onboarding guide, guide, tutorial, how to, manual, user manual, handbook, \
    faq, readme section, user guide, documentation page, documentation, docs for, runbook, \
    release notes, changelog for, meeting agenda, agenda, agenda for, summary of, \
    one page summary, executive summary, one pager, slide deck, slides, slides for, \
    presentation, talk, abstract for, social media post, linkedin post, tweet, caption for, \
    ad copy, brochure, leaflet, flyer, poster, menu text, about page, biography, bio, \
    profile text, cv, resume, weekly report, monthly report, status report, status update, \
    budget table, spreadsheet, pivot table, formula, excel formula, google sheet, excel macro, \
    vba macro, macro, regex, regular expression, mind map, diagram, sequence diagram, \
    er diagram, flowchart, table of, overview, overview of, comparison table, comparison of, \
    price comparison, derivative, integral of, quadratic equation, linear equation, \
    word problem, triangle, mean and, standard deviation, example, examples, sample data, \
    seed data, demo page, demo, mockup, wireframe, prototype, todo app, calculator, weather app, \
    game, snake game, tic tac toe, sprite, animation, sound effect, level, enemy, \
    character sheet, pagination, sorting, dark mode, infinite scroll, drag and drop, \
    file upload, avatar upload, csv upload, autocomplete, validation, error handling, logging, \
    retry, retries, caching, login, signup, sign up, logout, password reset, remember me, \
    two factor, rate limit of, arduino, raspberry pi, lcd, led, sensor reading, words, \
    paragraphs, friendly tone, polite, audience, grade, class of, pupils, students, beginners, \
    kids, children, birthday party, wedding, keyboard, bulk, selected rows, csv, excel, pdf, \
    markdown, jsonl, existing pattern, same pattern, like existing, like other, like we do, \
    as in other, as we do, using library, library we, we already use, cause known, \
    cause is known, single node, no framework, vanilla js, plain css, tailwind, bootstrap, \
    flask, django, express, spring boot, rails, laravel, phoenix, elixir, react, vue, svelte, \
    angular, jetpack compose, swiftui, flutter, godot, unity, pandas, matplotlib, scrapy, \
    playwright, cypress, jest, pytest, junit";

/// The same in Japanese.
pub(super) const JAPANESE: &str = "\
    スクリプト, シェルスクリプト, 関数, クラスを, コンポーネント, 部品を, ウィジェット, フック, \
    ミドルウェア, エンドポイント, apiを, apiはある, コントローラ, ハンドラ, 画面を, 画面に, \
    ページを, 入力欄, フォーム, ダイアログ, モーダル, ドロップダウン, メニューを, \
    切り替えボタン, ボタンを追加, ボタンを付, 検索欄, 検索窓, 絞り込み, 絞り込み欄, \
    並べ替え機能, 日付選択, グラフを, 円グラフ, 棒グラフ, 折れ線グラフ, ダッシュボード, \
    進捗バー, 単体テスト, 単体試験, 結合テスト, 結合試験, テストも, テストを, 試験を, 試験も, \
    通しの試験, モック, sqlを, クエリを, ビュー, csv, csv出力, csvを, エクセル, excel, \
    スプレッドシート, pdf出力, 取り込み処理, コマンドラインツール, サブコマンド, cronで, \
    ワークフロー, dockerfile, composeファイル, playbook, バックアップスクリプト, 通知を, \
    通知機能, お知らせ, メールを, メール文, 返信文, 返信を, 返事を, 手紙, 送り状, 添え状, \
    志望動機, 自己pr, 推薦状, お詫び, 詫び状, 招待状, 案内状, 案内文, 案内を, 挨拶文を, \
    挨拶を書, 祝辞, スピーチ, 弔辞, 乾杯, 台本, 朗読, 紹介文, 紹介する文章, 紹介記事, 記事, \
    ブログ, 作文, 感想文, 読書感想文, 小論文, 物語, 短編, 童話, 詩, 歌詞, 標語, キャッチコピー, \
    宣伝文, 広告文, チラシ, ポスター, パンフレット, 求人, 求人票, 募集要項, 募集文, 面接の質問, \
    質問を, 質問票, アンケート, 小テスト, クイズ, 練習問題, ドリル, 教案, 指導案, 授業, \
    学習計画, 勉強計画, 練習計画, 献立, レシピ, 旅程, 旅行の計画, 旅行計画, 日帰り, 一泊, 二泊, \
    チェックリスト, 手順書, 手引き, 手引, 案内書, マニュアル, 取扱説明, よくある質問, faq, \
    説明書, 使い方, 解説, 入門, リリースノート, 議題, 次第, 式次第, 要点を, 要点, 概要, 一枚, \
    1枚に, 資料, スライドを, 発表資料, 発表, 原稿, 投稿文, sns, ツイート, 略歴, 経歴, 履歴書, \
    職務経歴書, 週報, 月報, 日報, 報告メール, 予算表, 家計簿, 数式, マクロ, 正規表現, 図を, \
    図解, フローチャート, シーケンス図, er図, 一覧を, 比較表, 対照表, 集計表, 表を作, 表にする, \
    表に, 例を, サンプル, 見本, 雛形, ひな形, テンプレート, デモ, 試作, 電卓, ゲーム, 敵, 弾, \
    ジャンプ, アニメーション, 動き, ページ送り, ページング, ダークモード, 無限スクロール, \
    ドラッグ, アップロード, 自動補完, 補完, 入力チェック, 入力の検証, エラー処理, ログインを, \
    ログイン機能, ログアウト, パスワード再設定, 字で, 字程度, 字以内, 文字以内, 文字程度, \
    段落で, 分の, 丁寧に, 丁寧な, 温かく, 落ち着いた調子, くだけた, 柔らかい, 堅すぎ, 敬語で, \
    親しみ, 向けに, 向けの, 年生, 子ども, 子供, 初心者, 新人, 新入社員, 保護者, お客様, 町内会, \
    誕生会, 結婚式, 運動会, 文化祭, 既存の書き方, 既存のものに, 既存の部品, 既存の画面, 参考に, \
    にならって, に倣って, と同じ作り, と同様に, 同じやり方, ライブラリを, ライブラリは, \
    原因は判明, 原因はわかって, 原因は分かって, 原因はv, 矢印キー, enterで, 押すと, クリックで, \
    クリックすると, 選んで押, まとめて選, 一括で, 一括選択, 道具は何でも, 何でもよい, 微分, \
    積分せよ, 因数分解, 方程式を解, 連立方程式, 増減表, 三角形, 標準偏差, 平均と, flask, django, \
    react, vue, svelte, flutter, godot, unity, laravel, rails, spring, pandas, scrapy, arduino, \
    ラズパイ";
