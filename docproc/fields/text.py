"""Normal forms of text, and what counts as the same text, name or option."""

from __future__ import annotations

import re
import unicodedata

DASHES = "-‐‑‒–—.·"
"""Punctuation that people put between the groups of a number."""
HAN = "\u3400-\u9fff\U00020000-\U0003ffff〇"
"""Han characters, for a character class of a regular expression."""

# Controls, soft hyphens, zero-width and direction marks, variation selectors, halves of surrogate pairs.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"\s+")
_SPACE_AT_HAN = re.compile(r"(?<=[^\x00-\u02ff]) (?=\S)|(?<=\S) (?=[^\x00-\u02ff])")
_DOTS = re.compile("[•‧∙⋅・·﹒]")
_DASHES = re.compile("[‐‑‒–—―−﹘ー─]+")
_QUOTES = re.compile("[“”‘’「」『』《》〈〉\"'`]")
_BRACKETS = str.maketrans("〔〕[]【】{}﹝﹞", "()()()()()")

_VARIANTS = str.maketrans(
    # Glyph variants and traditional forms of characters that are common in names and addresses. Characters that the
    # standard list keeps apart (喆 and 哲, 堃 and 坤) are different names and stay apart.
    "髙戸呂吳黃產産強麗峯羣濶靑曽眞値徳溫錄內兪戶裡裏牀冊冨亙兌説說査毎硏淸敎顏顔巻兎緖緒鄕鄉國華東車馬陳"
    "張劉楊趙孫鄭馮蔣許龍鳳鳥魚門關開閆閻長廣廠區縣縂總號樓層業興鎮鄰單樹橋灣島園衛衞爲為與舊學寶寳實賓偉"
    "傑鋒銳鐵鋼錢銀錦鍾鐘鴻鵬鶴齊齋龐龔韓韋顧項頌順須領頭飛駿騰驗蘭蘇葉萬藝蓮薩藍榮樂標楓權歐歡歷歸涼淵湯"
    "溝滬漢潔濟濤瀟瑩瓊環瑋畫發盧盡監碩禮穎穩競筆節簡紀紅紹絲維綠綿縱績繼續義習聖聞聯聰職膽臨艷蕭補規覺觀"
    "計訓記訪設評詩話詳誠誼諾謝證譚議讓豐貝財貴費賀賢質贊趕躍軍軒輝輪轉辦農連進運達遠適遲選還邊鄧鄒鄔酈釗"
    "鎖鏡閔闊隊陽陰隨險雙雲電靈靜韜響館餘馳驛魯鮑鶯麥黨點龜"
    "併來俠倉個們倫側備傳債傷僅價儀億儉償優儲兒兩凍凱剛創劃劇劑勁動務勝勞勢勳勵匯協卻厭參員問啓啟喪嘗嚐嚴囑圓圖團執報場塊塗墳墻壇壓壯壺壽夠夢夾奪奮妝婦媽嬰宮寧審寫寬將專尋對導屬岡峽崗嶺嶽帥師帳帶幣幫幹庫廁廂廚廟廢廳"
    "彈彌彙徑從復恆憑憶應懷戀戰戲掃採揀揚換揮損搖搶撥擁擇擔據擴擺攜攝攤敗敵數斷時晉晝暉暢曆曉會桿條棗棟棧構槍樁樑樞樸樺機橢檔檢檯櫃櫥櫻欄欖欽歲殘殺殼氣決況淚淨淪淺渙渦測渾湧溈準溼滅滙滲滷滾滿漁漸潤澆澤濕濱瀋瀏瀕瀾灑"
    "灘灝灤烏無煉煒煙煥煩熱熾燁燈燒爍爐爛爺爾牆牽犧狀獅獎獨獲現瑤瑪璣璽瓏甕畝畢異當疇疊痠療癢癬皚皺盞盤眾睏矯硯磚磯礎礦禍禎禪種稱穀穌積窩窪窮窯竄竅竇筍箏範築篩簽簾籃籌籠籤粵糞糧糰糾紋納紐紓純紗紙級紛紡紮細紳終絃組結"
    "絕絡絢給絨統綏經綜綢綱網綺緊緋線緣編緯練緹縈縉縮縴織繞繡繩繪纓纖纜罈罰罷羅羨翹聲聳聽肅脈脫腎腦腳腸膚膠膩臘臟臺艙艦芻茲荊莊莖葷蒞蒼蓀蓋蔔蔥蔭蕪薈薑薔薦藥藺蘆蘊蘋蘿處虛蝦蝸蟲蟻蠅蠔蠟蠶蠻衆術衝袞裊裝製複襪襯襲覓親"
    "覽訂訊託訴診詠詢試該誇誌認誘語誰課調請論諧諮謀謎謙講謹識護譽讀變豔貓貞負貢貨販貫責貯買貸貼貿資賣賦賬賴購賽贈贏贛趨跡蹤躉躋軋軌軟軸軼較載輒輔輕輛輯輸輻輿轄轅轎辭週遊過違遙遞遷遺邁邏郵鄲鄺醃醜醞醫醬釀釋釐針釣鈔鈕"
    "鈞鈣鈴鉅鉑鉗鉛鉤鉻銅銑銓銘銜銷鋁鋅鋪鋰鋸錘錯錶鍋鍍鍛鍵鎂鎢鎳鏈鏟鏢鐮鑄鑑鑒鑰鑲鑼鑽鑿閃閉閒間閘閣閩閱闌闕闖闡闢陝陣陸階隕際隱隴隸隻雋雖雛雜雞離難霧靄鞏韌韻頁頂頎預頒頓頗頤頰頸頹頻顆題額願顛類顯風颱飄飯飲飼飽飾餃"
    "餅養餌餓餡餵饅馴駁駐駕駛駝駟駱騁騎騫騷驅驊驍驕驚驢髒體髮鬆鬍鬚鬧鬱魘魷鮭鮮鯉鯊鯨鯰鯽鰍鰲鰻鱔鱖鱗鱘鱷鱸鳩鴛鴦鴨鴿鵑鵝鵲鷹鸚鸛鸞鹵鹹鹼鹽麩麯麵麼黌黴黷鼴齒齡"
    "悅稅蛻別則劍勻吶吿呑喚嘆嘩嘯噴噸囂圍壘壩夥奐奧姦娛婁嫺嫻嬌嬋嬸孿屆屢嵐巋巔幾廈弔弒彎彥後徹恥悶惡惱愛態慘慚慣慮慶憂憐憤憲懇懲懶懸懼拋挾捨捲掙掛搗摟摯摺撈撐撓撣撫撲撿擊擋擠擬擰擱擾攏攔攙攪攬敘斂斃斬暫曠曬書棄楨極槓槳樣橫櫓歎毀"
    "毆氈沒沖洩淒淩減滄滌滎滯漲漿潑潛潰濁濃濫濾瀆瀉瀘瀝瀧灕災煬營爭犖狹猶獵獸獻瑣瘋瘡癡癥癮癱盜矚碼確礙礪礫祕祿禦禱禿稈稟穢穫窺竊竪籲籬籮約紉紜紺絆絛絞絳絹綁綫綴綸綻綽綾緘緝緞締緩緬緲緻縛縝縫縷縹繃繅繆繚繫繭繳繹繽纏纔罵罌羈聶聾脅"
    "脣脹腫膾膿臉臍臥舉艱莢莧萊蕁蕎蕓蕩薊藪蘄蘚虜虧蛺蝕螞螢蟄蟈蟬蠍蠣蠱褲褸襖見視觸訃討訝訟訣訛詁詐詔詛詞詡詣詫詭詮詰誅誕誡誣誤誦誨誹諂談諒諜諦諫諭諱諳諶諷諸諺謂謄謊謗謠謨謬謳譏譜譯譴讒讚豎豬貧貪貶賁賂賃賄賈賊賜賞賠賤賭賺贅贍贓贖"
    "踐踴蹌蹟躊躡軀軾輓輩輟輦輥輾轂轆轍轟轡辯辮迴這遜遼邇郟鄆鄖鄴釁鈉鈍鈦鈷鈹鈺鈾鉀鉚鉢鉬鉸銬銹銻鋇鋤鋯錐錚錠錨錫錮錳鍊鍘鍬鎊鎘鎚鎧鎬鏇鏑鏗鏘鏜鏤鏽鐐鐲鐳鑌鑠鑣閂閏閑閡閥閨閭閹闆闈闐闔闥陘隣霽靂靚靨鞦韙韞頃頊頑頜頡頷顎顫顱颶飢飩飪"
    "飭飴餉餑餞餛餚餿饉饋饌饑饒饗饞馭馱駙駭駢騙騖騾驃驟驥驪骯髏髕鬢鬥鮎鯁鯖鯛鯢鰈鰓鰥鰭鰱鱉鳴鳶鴆鴇鴉鵓鵠鵡鶉鶘鶩鷗鷥鷺鸕鸝齣齦齪齷",
    "高户吕吴黄产产强丽峰群阔青曾真值德温录内俞户里里床册富亘兑说说查每研清教颜颜卷兔绪绪乡乡国华东车马陈"
    "张刘杨赵孙郑冯蒋许龙凤鸟鱼门关开闫阎长广厂区县总总号楼层业兴镇邻单树桥湾岛园卫卫为为与旧学宝宝实宾伟"
    "杰锋锐铁钢钱银锦钟钟鸿鹏鹤齐斋庞龚韩韦顾项颂顺须领头飞骏腾验兰苏叶万艺莲萨蓝荣乐标枫权欧欢历归凉渊汤"
    "沟沪汉洁济涛潇莹琼环玮画发卢尽监硕礼颖稳竞笔节简纪红绍丝维绿绵纵绩继续义习圣闻联聪职胆临艳萧补规觉观"
    "计训记访设评诗话详诚谊诺谢证谭议让丰贝财贵费贺贤质赞赶跃军轩辉轮转办农连进运达远适迟选还边邓邹邬郦钊"
    "锁镜闵阔队阳阴随险双云电灵静韬响馆余驰驿鲁鲍莺麦党点龟"
    "并来侠仓个们伦侧备传债伤仅价仪亿俭偿优储儿两冻凯刚创划剧剂劲动务胜劳势勋励汇协却厌参员问启启丧尝尝严嘱圆图团执报场块涂坟墙坛压壮壶寿够梦夹夺奋妆妇妈婴宫宁审写宽将专寻对导属冈峡岗岭岳帅师帐带币帮干库厕厢厨庙废厅"
    "弹弥汇径从复恒凭忆应怀恋战戏扫采拣扬换挥损摇抢拨拥择担据扩摆携摄摊败敌数断时晋昼晖畅历晓会杆条枣栋栈构枪桩梁枢朴桦机椭档检台柜橱樱栏榄钦岁残杀壳气决况泪净沦浅涣涡测浑涌沩准湿灭汇渗卤滚满渔渐润浇泽湿滨沈浏濒澜洒"
    "滩灏滦乌无炼炜烟焕烦热炽烨灯烧烁炉烂爷尔墙牵牺状狮奖独获现瑶玛玑玺珑瓮亩毕异当畴叠酸疗痒癣皑皱盏盘众困矫砚砖矶础矿祸祯禅种称谷稣积窝洼穷窑窜窍窦笋筝范筑筛签帘篮筹笼签粤粪粮团纠纹纳纽纾纯纱纸级纷纺扎细绅终弦组结"
    "绝络绚给绒统绥经综绸纲网绮紧绯线缘编纬练缇萦缙缩纤织绕绣绳绘缨纤缆坛罚罢罗羡翘声耸听肃脉脱肾脑脚肠肤胶腻腊脏台舱舰刍兹荆庄茎荤莅苍荪盖卜葱荫芜荟姜蔷荐药蔺芦蕴苹萝处虚虾蜗虫蚁蝇蚝蜡蚕蛮众术冲衮袅装制复袜衬袭觅亲"
    "览订讯托诉诊咏询试该夸志认诱语谁课调请论谐咨谋谜谦讲谨识护誉读变艳猫贞负贡货贩贯责贮买贷贴贸资卖赋账赖购赛赠赢赣趋迹踪趸跻轧轨软轴轶较载辄辅轻辆辑输辐舆辖辕轿辞周游过违遥递迁遗迈逻邮郸邝腌丑酝医酱酿释厘针钓钞钮"
    "钧钙铃钜铂钳铅钩铬铜铣铨铭衔销铝锌铺锂锯锤错表锅镀锻键镁钨镍链铲镖镰铸鉴鉴钥镶锣钻凿闪闭闲间闸阁闽阅阑阙闯阐辟陕阵陆阶陨际隐陇隶只隽虽雏杂鸡离难雾霭巩韧韵页顶颀预颁顿颇颐颊颈颓频颗题额愿颠类显风台飘饭饮饲饱饰饺"
    "饼养饵饿馅喂馒驯驳驻驾驶驼驷骆骋骑骞骚驱骅骁骄惊驴脏体发松胡须闹郁魇鱿鲑鲜鲤鲨鲸鲶鲫鳅鳌鳗鳝鳜鳞鲟鳄鲈鸠鸳鸯鸭鸽鹃鹅鹊鹰鹦鹳鸾卤咸碱盐麸曲面么黉霉黩鼹齿龄"
    "悦税蜕别则剑匀呐告吞唤叹哗啸喷吨嚣围垒坝伙奂奥奸娱娄娴娴娇婵婶孪届屡岚岿巅几厦吊弑弯彦后彻耻闷恶恼爱态惨惭惯虑庆忧怜愤宪恳惩懒悬惧抛挟舍卷挣挂捣搂挚折捞撑挠掸抚扑捡击挡挤拟拧搁扰拢拦搀搅揽叙敛毙斩暂旷晒书弃桢极杠桨样横橹叹毁"
    "殴毡没冲泄凄凌减沧涤荥滞涨浆泼潜溃浊浓滥滤渎泻泸沥泷漓灾炀营争荦狭犹猎兽献琐疯疮痴症瘾瘫盗瞩码确碍砺砾秘禄御祷秃秆禀秽获窥窃竖吁篱箩约纫纭绀绊绦绞绛绢绑线缀纶绽绰绫缄缉缎缔缓缅缈致缚缜缝缕缥绷缫缪缭系茧缴绎缤缠才骂罂羁聂聋胁"
    "唇胀肿脍脓脸脐卧举艰荚苋莱荨荞芸荡蓟薮蕲藓虏亏蛱蚀蚂萤蛰蝈蝉蝎蛎蛊裤褛袄见视触讣讨讶讼诀讹诂诈诏诅词诩诣诧诡诠诘诛诞诫诬误诵诲诽谄谈谅谍谛谏谕讳谙谌讽诸谚谓誊谎谤谣谟谬讴讥谱译谴谗赞竖猪贫贪贬贲赂赁贿贾贼赐赏赔贱赌赚赘赡赃赎"
    "践踊跄迹踌蹑躯轼挽辈辍辇辊辗毂辘辙轰辔辩辫回这逊辽迩郏郓郧邺衅钠钝钛钴铍钰铀钾铆钵钼铰铐锈锑钡锄锆锥铮锭锚锡锢锰炼铡锹镑镉锤铠镐旋镝铿锵镗镂锈镣镯镭镔铄镳闩闰闲阂阀闺闾阉板闱阗阖闼陉邻霁雳靓靥秋韪韫顷顼顽颌颉颔颚颤颅飓饥饨饪"
    "饬饴饷饽饯馄肴馊馑馈馔饥饶飨馋驭驮驸骇骈骗骛骡骠骤骥骊肮髅髌鬓斗鲇鲠鲭鲷鲵鲽鳃鳏鳍鲢鳖鸣鸢鸩鸨鸦鹁鹄鹉鹑鹕鹜鸥鸶鹭鸬鹂出龈龊龌",
)


def normalise_text(raw: str) -> str:
    """Return NFKC without invisible characters, white space as single blanks, none at the ends or beside Han text.

    Idempotent. Line breaks are blanks; blanks between Latin words or numbers stay.
    """
    text = raw
    while True:  # a removal can bring together characters that NFKC composes
        step = _SPACES.sub(" ", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))).strip()
        step = _SPACE_AT_HAN.sub("", step)
        if step == text:
            return step
        text = step


def compact(raw: str, without: str = "") -> str:
    """Return :func:`normalise_text` in upper case without blanks and the given characters: the form of codes."""
    drop = dict.fromkeys(map(ord, f" {without}"))
    text = raw
    while (step := normalise_text(text).upper().translate(drop)) != text:
        text = step
    return text


def fold(raw: str) -> str:
    """Return a key for comparing, not for showing: width, case, variants, bracket kinds, blanks and punctuation gone.

    A dot, slash or colon between digits and a dash between letters or digits are
    kept, for 1.5 is not 15 and 1-2号 is not 12号; so are % & @ # and *.
    """
    text = _DASHES.sub("-", _DOTS.sub("·", normalise_text(raw))).translate(_BRACKETS).casefold().translate(_VARIANTS)
    text = _QUOTES.sub("", text).replace(" ", "")
    kept = [char for place, char in enumerate(text) if _counts(text, place, char)]
    return "".join(kept)


def same_text(one: str, other: str) -> bool:
    """Whether two texts differ only in width, case, variant characters, blanks and punctuation."""
    return fold(one) == fold(other)


def same_name(one: str, other: str) -> bool:
    """Whether two names of persons or organisations are the same; an empty name equals nothing."""
    key = fold(one)
    return bool(key) and key == fold(other)


def _counts(text: str, place: int, char: str) -> bool:
    if char.isalnum() or unicodedata.category(char) in ("Mn", "Mc", "So", "Sm", "Sc", "No", "Co", "Cn"):
        return True
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if char == "-":
        return _is_ascii_alnum(before) and _is_ascii_alnum(after)
    if char in "./:":
        return before.isdigit() and after.isdigit()
    return char in "%&@#*"


def _is_ascii_alnum(char: str) -> bool:
    return char.isascii() and char.isalnum()
