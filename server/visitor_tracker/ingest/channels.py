"""Which host, app, parameter or word means which channel: search engines, social networks, mail, assistants, adverts.

A host stands for all hosts below it, unless one of those is listed itself.
"""

from visitor_tracker.event import Channel

_SEARCH = {
    "Google": "google.com webcache.googleusercontent.com com.google.android.googlequicksearchbox "
    "com.google.android.gsa com.google.android.apps.searchlite",
    "Google News": "news.google.com com.google.android.apps.magazines",
    "Google Scholar": "scholar.google.com",
    "Bing": "bing.com com.microsoft.bing msn.com",
    "DuckDuckGo": "duckduckgo.com com.duckduckgo.mobile.android",
    "Yahoo": "yahoo.com yahoo.co.jp com.yahoo.mobile.client.android.search",
    "Yandex": "yandex.ru yandex.com yandex.by yandex.kz yandex.uz yandex.com.tr yandex.net ya.ru "
    "ru.yandex.searchplugin com.yandex.browser dzen.ru",
    "Baidu": "baidu.com com.baidu.searchbox",
    "Ecosia": "ecosia.org com.ecosia.android",
    "Startpage": "startpage.com ixquick.com",
    "Brave": "search.brave.com",
    "Qwant": "qwant.com com.qwant.liberty",
    "Naver": "naver.com com.nhn.android.search",
    "Daum": "daum.net",
    "Seznam": "seznam.cz",
    "Kagi": "kagi.com",
    "Mojeek": "mojeek.com mojeek.co.uk",
    "Swisscows": "swisscows.com swisscows.ch",
    "MetaGer": "metager.org metager.de",
    "AOL": "search.aol.com aol.com",
    "Ask": "ask.com",
    "Dogpile": "dogpile.com",
    "WebCrawler": "webcrawler.com",
    "Sogou": "sogou.com",
    "360 Search": "so.com",
    "Shenma": "sm.cn",
    "Toutiao": "so.toutiao.com",
    "Rambler": "rambler.ru nova.rambler.ru",
    "Mail.ru": "go.mail.ru",
    "Cốc Cốc": "coccoc.com",
    "Petal": "petalsearch.com",
    "Presearch": "presearch.com presearch.org",
    "Marginalia": "marginalia-search.com search.marginalia.nu",
    "Stract": "stract.com",
    "T-Online": "suche.t-online.de",
    "Onet": "onet.pl",
    "Wirtualna Polska": "szukaj.wp.pl",
    "Goo": "goo.ne.jp",
    "Lycos": "lycos.com",
    "SearXNG": "searx.be searx.tiekoetter.com priv.au",
}

_SOCIAL = {
    "Facebook": "facebook.com fb.com fb.me facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion "
    "com.facebook.katana com.facebook.lite",
    "Messenger": "messenger.com m.me com.facebook.orca",
    "Instagram": "instagram.com ig.me com.instagram.android",
    "Threads": "threads.net threads.com com.instagram.barcelona",
    "WhatsApp": "whatsapp.com whatsapp.net wa.me com.whatsapp com.whatsapp.w4b",
    "X": "x.com twitter.com t.co com.twitter.android",
    "LinkedIn": "linkedin.com lnkd.in com.linkedin.android",
    "Reddit": "reddit.com redd.it com.reddit.frontpage com.laurencedawson.reddit_sync",
    "YouTube": "youtube.com youtu.be youtube-nocookie.com com.google.android.youtube",
    "Pinterest": "pinterest.com pin.it com.pinterest",
    "TikTok": "tiktok.com com.zhiliaoapp.musically com.ss.android.ugc.trill",
    "Douyin": "douyin.com com.ss.android.ugc.aweme",
    "Snapchat": "snapchat.com com.snapchat.android",
    "Bluesky": "bsky.app bsky.social xyz.blueskyweb.app",
    "Mastodon": "mas.to fosstodon.org hachyderm.io infosec.exchange techhub.social chaos.social troet.cafe "
    "norden.social pawoo.net mathstodon.xyz aus.social ruby.social phpc.social indieweb.social kolektiva.social "
    "social.coop toot.community universeodon.com ioc.exchange tech.lgbt floss.social det.social piaille.fr "
    "front-end.social journa.host scholar.social sfba.social octodon.social toot.cafe c.im hessen.social "
    "ruhr.social nrw.social social.tchncs.de social.linux.pizza social.vivaldi.net elk.zone phanpy.social "
    "org.joinmastodon.android",
    "Misskey": "misskey.io",
    "Pixelfed": "pixelfed.social",
    "Lemmy": "lemmy.world lemmy.ml lemm.ee programming.dev beehaw.org feddit.org sh.itjust.works",
    "Hacker News": "news.ycombinator.com hckrnews.com hn.algolia.com io.github.hidroh.materialistic",
    "Lobsters": "lobste.rs",
    "Tildes": "tildes.net",
    "Slashdot": "slashdot.org",
    "Digg": "digg.com",
    "Product Hunt": "producthunt.com",
    "Indie Hackers": "indiehackers.com",
    "Telegram": "telegram.org t.me telegram.me web.telegram.org org.telegram.messenger org.telegram.messenger.web "
    "org.thunderdog.challegram",
    "Discord": "discord.com discordapp.com discord.gg com.discord",
    "Slack": "slack.com com.slack",
    "Microsoft Teams": "teams.microsoft.com teams.live.com teams.cdn.office.net com.microsoft.teams",
    "Viber": "viber.com com.viber.voip",
    "LINE": "line.me jp.naver.line.android",
    "KakaoTalk": "kakao.com com.kakao.talk",
    "WeChat": "weixin.qq.com wechat.com com.tencent.mm",
    "Weibo": "weibo.com weibo.cn t.cn com.sina.weibo",
    "Qzone": "qzone.qq.com",
    "Zhihu": "zhihu.com com.zhihu.android",
    "Bilibili": "bilibili.com b23.tv tv.danmaku.bili",
    "Xiaohongshu": "xiaohongshu.com xhslink.com com.xingin.xhs",
    "Douban": "douban.com",
    "VK": "vk.com vk.ru vkontakte.ru com.vkontakte.android",
    "Odnoklassniki": "ok.ru odnoklassniki.ru ru.ok.android",
    "LiveJournal": "livejournal.com",
    "Tumblr": "tumblr.com com.tumblr",
    "Medium": "medium.com",
    "Quora": "quora.com com.quora.android",
    "Stack Overflow": "stackoverflow.com stackexchange.com superuser.com serverfault.com askubuntu.com",
    "DEV": "dev.to",
    "Hashnode": "hashnode.com",
    "Twitch": "twitch.tv tv.twitch.android.app",
    "Vimeo": "vimeo.com",
    "Dailymotion": "dailymotion.com",
    "Flickr": "flickr.com flic.kr",
    "Xing": "xing.com com.xing.android",
    "Nextdoor": "nextdoor.com com.nextdoor",
    "Meetup": "meetup.com",
    "Patreon": "patreon.com",
    "Truth Social": "truthsocial.com",
    "Gab": "gab.com",
    "Hatena": "hatena.ne.jp b.hatena.ne.jp",
    "Note": "note.com",
    "Mixi": "mixi.jp",
    "SoundCloud": "soundcloud.com",
    "Raindrop": "raindrop.io",
    "Flipboard": "flipboard.com flipboard.app flipboard.social",
    "Feedly": "feedly.com",
    "Inoreader": "inoreader.com",
}

_EMAIL = {
    "Gmail": "mail.google.com gmail.com com.google.android.gm inbox.google.com",
    "Outlook": "outlook.com outlook.live.com outlook.office.com outlook.office365.com hotmail.com mail.live.com "
    "safelinks.protection.outlook.com com.microsoft.office.outlook",
    "Yahoo Mail": "mail.yahoo.com mail.yahoo.co.jp ymail.com com.yahoo.mobile.client.android.mail",
    "AOL Mail": "mail.aol.com",
    "Proton Mail": "mail.proton.me protonmail.com mail.protonmail.com ch.protonmail.android",
    "Tuta": "app.tuta.com tuta.com mail.tutanota.com tutanota.com",
    "Fastmail": "fastmail.com app.fastmail.com com.fastmail.app",
    "iCloud Mail": "icloud.com",
    "GMX": "gmx.net gmx.com gmx.de gmx.at gmx.ch deref-gmx.net deref-gmx.com deref-gmx.fr",
    "WEB.DE": "web.de deref-web.de deref-web-02.de",
    "mail.com": "mail.com deref-mail.com",
    "Posteo": "posteo.de",
    "mailbox.org": "mailbox.org",
    "Zoho Mail": "mail.zoho.com mail.zoho.eu",
    "Hey": "app.hey.com",
    "Yandex Mail": "mail.yandex.ru mail.yandex.com ru.yandex.mail",
    "Mail.ru": "e.mail.ru mail.ru",
    "Rambler": "mail.rambler.ru",
    "QQ Mail": "mail.qq.com exmail.qq.com",
    "NetEase Mail": "mail.163.com mail.126.com 163.com 126.com",
    "Naver Mail": "mail.naver.com",
    "Daum Mail": "mail.daum.net",
    "Seznam Email": "email.seznam.cz",
    "Orange Mail": "messagerie.orange.fr webmail1.orange.fr",
    "La Poste": "laposte.net",
    "Free": "webmail.free.fr zimbra.free.fr",
    "T-Online": "email.t-online.de",
    "Libero": "mail.libero.it",
    "Rediffmail": "mail.rediff.com",
    "Comcast": "connect.xfinity.com",
    "Thunderbird": "net.thunderbird.android com.fsck.k9",
    "Spark": "com.readdle.spark",
    "Mailchimp": "mailchimp.com list-manage.com campaign-archive.com mailchi.mp",
    "Substack": "substack.com open.substack.com",
    "Beehiiv": "beehiiv.com",
    "Buttondown": "buttondown.com buttondown.email",
    "ConvertKit": "convertkit.com convertkit-mail.com convertkit-mail2.com kit.com",
    "Campaign Monitor": "createsend.com cmail19.com cmail20.com",
    "Brevo": "brevo.com sendinblue.com",
    "MailerLite": "mailerlite.com",
    "Klaviyo": "klaviyo.com klclick.com",
    "SendGrid": "sendgrid.net",
    "Constant Contact": "constantcontact.com",
    "TLDR": "tldr.tech tldrnewsletter.com",
}

_AI = {
    "ChatGPT": "chatgpt.com chat.openai.com openai.com chat.com com.openai.chatgpt",
    "Perplexity": "perplexity.ai pplx.ai ai.perplexity.app.android",
    "Claude": "claude.ai claude.com com.anthropic.claude",
    "Gemini": "gemini.google.com bard.google.com com.google.android.apps.bard",
    "NotebookLM": "notebooklm.google.com notebooklm.google",
    "AI Studio": "aistudio.google.com",
    "Copilot": "copilot.microsoft.com m365.cloud.microsoft copilot.cloud.microsoft edgeservices.bing.com "
    "com.microsoft.copilot",
    "DeepSeek": "deepseek.com chat.deepseek.com com.deepseek.chat",
    "Grok": "grok.com x.ai ai.x.grok",
    "Mistral": "mistral.ai chat.mistral.ai ai.mistral.chat",
    "Poe": "poe.com com.poe.android",
    "You.com": "you.com",
    "Phind": "phind.com",
    "Meta AI": "meta.ai",
    "Pi": "pi.ai",
    "Character.AI": "character.ai",
    "HuggingChat": "hf.co",
    "Qwen": "chat.qwen.ai qwen.ai tongyi.aliyun.com tongyi.com",
    "Kimi": "kimi.com kimi.moonshot.cn kimi.ai",
    "Doubao": "doubao.com com.larus.nova",
    "Ernie": "yiyan.baidu.com chat.baidu.com",
    "Yuanbao": "yuanbao.tencent.com",
    "Z.ai": "z.ai chatglm.cn",
    "MiniMax": "minimax.io hailuoai.com",
    "Manus": "manus.im",
    "Genspark": "genspark.ai",
    "Felo": "felo.ai",
    "Duck.ai": "duck.ai",
    "iAsk": "iask.ai",
    "Liner": "liner.com getliner.com",
    "Exa": "exa.ai",
    "Consensus": "consensus.app",
    "Lumo": "lumo.proton.me",
    "T3 Chat": "t3.chat",
    "OpenRouter": "openrouter.ai",
    "Groq": "groq.com",
    "GigaChat": "giga.chat",
    "Alice": "alice.yandex.ru",
}

_PAID = {
    "Google Ads": "doubleclick.net googleadservices.com googlesyndication.com ads.google.com",
    "Taboola": "taboola.com",
    "Outbrain": "outbrain.com",
    "Criteo": "criteo.com criteo.net",
}

# Parts of known hosts that are no search, and no conversation with an assistant.
_REFERRAL = (
    "accounts.google.com admin.google.com business.google.com calendar.google.com chat.google.com classroom.google.com "
    "developers.google.com docs.google.com drive.google.com groups.google.com keep.google.com meet.google.com "
    "photos.google.com play.google.com script.google.com sites.google.com support.google.com translate.google.com "
    "developers.facebook.com finance.yahoo.com news.yahoo.com translate.yandex.ru platform.openai.com "
    "community.openai.com help.openai.com docs.x.ai blog.naver.com cafe.naver.com tieba.baidu.com baike.baidu.com"
)

_GROUPS: tuple[tuple[Channel, dict[str, str]], ...] = (
    ("search", _SEARCH),
    ("social", _SOCIAL),
    ("email", _EMAIL),
    ("ai", _AI),
    ("paid", _PAID),
)

# Channel and name by host or Android package.
HOSTS: dict[str, tuple[Channel, str]] = {
    host: (channel, name) for channel, group in _GROUPS for name, hosts in group.items() for host in hosts.split()
} | {host: ("referral", host) for host in _REFERRAL.split()}

# Hosts under the domains of many countries; all are read as the one under .com.
COUNTRY_DOMAINS = ("google", "pinterest", "yandex")

# Other words for them in utm_source; their names, in lower case and without spaces, count too.
_WORDS = {
    "adwords": "google.com",
    "bard": "gemini.google.com",
    "ddg": "duckduckgo.com",
    "fb": "facebook.com",
    "gmb": "google.com",
    "googleads": "google.com",
    "hn": "news.ycombinator.com",
    "ig": "instagram.com",
    "insta": "instagram.com",
    "li": "linkedin.com",
    "meta": "facebook.com",
    "msn": "bing.com",
    "openai": "chatgpt.com",
    "tg": "t.me",
    "tw": "x.com",
    "twitter": "x.com",
    "wa": "whatsapp.com",
    "ycombinator": "news.ycombinator.com",
    "yt": "youtube.com",
}
_AMBIGUOUS = frozenset({"alice", "ask", "free", "goo", "hey", "line", "medium", "note", "pi", "spark"})
NAMES: dict[str, tuple[Channel, str]] = {
    word: known
    for known in HOSTS.values()
    if known[0] != "referral" and (word := known[1].lower().replace(" ", "")) not in _AMBIGUOUS
} | {word: HOSTS[host] for word, host in _WORDS.items()}

# Query parameters of ad networks and mail programs: who they are, and what their link means. Only names are kept.
CLICK_IDS: dict[str, tuple[Channel, str]] = {
    "gclid": ("paid", "Google"),
    "gbraid": ("paid", "Google"),
    "wbraid": ("paid", "Google"),
    "dclid": ("paid", "Google"),
    "gclsrc": ("paid", "Google"),
    "gad_source": ("paid", "Google"),
    "gad_campaignid": ("paid", "Google"),
    "msclkid": ("paid", "Bing"),
    "ttclid": ("paid", "TikTok"),
    "twclid": ("paid", "X"),
    "li_fat_id": ("paid", "LinkedIn"),
    "yclid": ("paid", "Yandex"),
    "rdt_cid": ("paid", "Reddit"),
    "epik": ("paid", "Pinterest"),
    "sccid": ("paid", "Snapchat"),
    "qclid": ("paid", "Quora"),
    "ndclid": ("paid", "Nextdoor"),
    "vmcid": ("paid", "Yahoo"),
    "tblci": ("paid", "Taboola"),
    "obclid": ("paid", "Outbrain"),
    "dicbo": ("paid", "Outbrain"),
    "irclickid": ("paid", "Impact"),
    "cjevent": ("paid", "CJ"),
    "awc": ("paid", "Awin"),
    "s_kwcid": ("paid", "Adobe Advertising"),
    "ef_id": ("paid", "Adobe Advertising"),
    "wickedid": ("paid", "Wicked Reports"),
    "fbclid": ("social", "Facebook"),  # on every link that leaves Facebook, not only on adverts
    "igshid": ("social", "Instagram"),
    "igsh": ("social", "Instagram"),
    "ysclid": ("search", "Yandex"),
    "srsltid": ("search", "Google"),
    "mc_cid": ("email", "Mailchimp"),
    "mc_eid": ("email", "Mailchimp"),
    "mkt_tok": ("email", "Marketo"),
    "_hsenc": ("email", "HubSpot"),
    "_hsmi": ("email", "HubSpot"),
    "_kx": ("email", "Klaviyo"),
    "vero_id": ("email", "Vero"),
    "oly_enc_id": ("email", "Omeda"),
}
