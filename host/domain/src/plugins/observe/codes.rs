//! What the codes of calls mean, in English and Chinese.

/// Codes, where they come from, what they mean, what to do; each sentence in English and Chinese.
pub(super) type Entry = (&'static str, &'static str, [&'static str; 2], [&'static str; 2]);

pub(super) const CODES: &[Entry] = &[
    (
        "wall_time_exceeded",
        "plugin",
        ["the call took longer than it may", "调用超过了允许的总时长"],
        [
            "look at the provider's latency, or have the author raise call-ms, inbound-ms or run-ms in the manifest",
            "检查对方服务的延迟，或请作者在清单中提高 call-ms、inbound-ms 或 run-ms",
        ],
    ),
    (
        "cpu_time_exceeded",
        "plugin",
        ["the plugin computed longer than it may", "插件占用的处理器时间超过上限"],
        [
            "it may loop for ever on this input; report it to the author, or have cpu-ms raised in the manifest",
            "它可能在此输入上死循环；请报告作者，或在清单中提高 cpu-ms",
        ],
    ),
    (
        "memory_exceeded",
        "plugin",
        ["the plugin needed more memory than it may use", "插件所需内存超过上限"],
        [
            "report it to the author; the manifest may ask for up to 64 MiB",
            "请报告作者；清单最多可申请 64 MiB",
        ],
    ),
    (
        "host_calls_exceeded",
        "plugin",
        [
            "the plugin asked the platform for more than one call may",
            "插件在一次调用中请求平台的次数过多",
        ],
        [
            "report it to the author: it may loop over a host call",
            "请报告作者：它可能在循环中反复请求平台",
        ],
    ),
    (
        "transfer_exceeded",
        "plugin",
        [
            "the plugin passed more data at once than it may",
            "插件一次传递的数据过多",
        ],
        [
            "report it to the author; large data belongs into files or several steps",
            "请报告作者；大量数据应写入文件或分步传递",
        ],
    ),
    (
        "handles_exceeded",
        "plugin",
        ["the plugin held more handles than it may", "插件持有的句柄过多"],
        [
            "report it to the author: handles have to be dropped",
            "请报告作者：句柄用后必须释放",
        ],
    ),
    (
        "trap",
        "plugin",
        ["the plugin crashed", "插件崩溃"],
        [
            "its last log lines say where; report them to the author, or go back: aistack plugin rollback",
            "最后几行日志说明了位置；请报告作者，或回退：aistack plugin rollback",
        ],
    ),
    (
        "memory_fault",
        "plugin",
        [
            "the plugin crashed: out of stack or outside its memory",
            "插件崩溃：栈耗尽或访问越界",
        ],
        [
            "report it to the author with the input of the call, or go back: aistack plugin rollback",
            "请连同输入报告作者，或回退：aistack plugin rollback",
        ],
    ),
    (
        "exit",
        "plugin",
        ["the plugin ended itself", "插件自行退出"],
        [
            "report it to the author: a plugin answers with a fault instead",
            "请报告作者：插件应返回错误而不是退出",
        ],
    ),
    (
        "breaker_open",
        "host",
        [
            "the call was not made: calls before it failed repeatedly",
            "未发起调用：此前的调用连续失败",
        ],
        [
            "look at the calls before this one; the platform tries again by itself after a while",
            "查看此前的调用；平台稍后会自动重试",
        ],
    ),
    (
        "busy",
        "host",
        [
            "the call was not made: too many calls were running",
            "未发起调用：正在运行的调用过多",
        ],
        [
            "try again; if it stays, look at `aistack plugin top` for who uses the places",
            "请重试；若持续出现，用 aistack plugin top 查看占用者",
        ],
    ),
    (
        "pool_full",
        "host",
        [
            "the call was not made: no instance was free",
            "未发起调用：没有空闲实例",
        ],
        [
            "try again; if it stays, raise [plugins] instances",
            "请重试；若持续出现，提高 [plugins] instances",
        ],
    ),
    (
        "not_loaded",
        "host",
        ["the component is not on this node", "此节点上没有该组件"],
        [
            "look at the log for why it can't be loaded; install the version again",
            "查看日志了解加载失败的原因，并重新安装该版本",
        ],
    ),
    (
        "tenant_calls_exceeded",
        "host",
        [
            "the tenant's plugins were called more often than its plan allows",
            "该租户的插件调用频率超过套餐允许的上限",
        ],
        [
            "wait a second; who calls is in `aistack plugin top`; more: aistack plugin limits",
            "稍等片刻；用 aistack plugin top 查看调用者；如需提高：aistack plugin limits",
        ],
    ),
    (
        "tenant_cpu_exceeded",
        "host",
        [
            "the tenant's plugins computed longer within a minute than its plan allows",
            "该租户的插件一分钟内占用的处理器时间超过套餐允许的上限",
        ],
        [
            "wait a minute; what computes is in `aistack plugin top --by cpu`; more: aistack plugin limits",
            "等待一分钟；用 aistack plugin top --by cpu 查看占用者；如需提高：aistack plugin limits",
        ],
    ),
    (
        "tenant_egress_exceeded",
        "host",
        [
            "the tenant's plugins have sent and received what its plan allows for a day",
            "该租户的插件当日收发的数据已达套餐上限",
        ],
        [
            "it starts again at midnight UTC; what sends is in `aistack plugin top --by bytes`; more: aistack plugin limits",
            "UTC 零点重新计算；用 aistack plugin top --by bytes 查看占用者；如需提高：aistack plugin limits",
        ],
    ),
    (
        "not_allowed",
        "host",
        [
            "the operator does not let this plugin be used here",
            "运维不允许在此使用该插件",
        ],
        [
            "ask the operator: aistack plugin ceiling",
            "请联系运维：aistack plugin ceiling",
        ],
    ),
    (
        "not_granted",
        "host",
        [
            "the plugin needs something that is not granted",
            "插件需要的权限未被授予",
        ],
        [
            "look at its grants: aistack plugin show, then aistack plugin grant",
            "查看授权：aistack plugin show，然后 aistack plugin grant",
        ],
    ),
    (
        "grant_revoked",
        "host",
        ["a grant was taken away while the call ran", "调用期间授权被撤销"],
        [
            "nothing is wrong with the plugin; grant it again if that was not meant",
            "插件本身没有问题；如非本意请重新授权",
        ],
    ),
    (
        "revoked",
        "host",
        [
            "the plugin was switched off or taken away while the call ran",
            "调用期间插件被停用或移除",
        ],
        [
            "look the outcome up at the provider if it may have acted",
            "若对方可能已执行，请到对方处查询结果",
        ],
    ),
    (
        "quarantined",
        "host",
        ["the version is quarantined", "该版本已被隔离"],
        [
            "go back to the version before, or have an operator lift it: aistack plugin quarantine --lift",
            "回退到之前的版本，或请运维解除：aistack plugin quarantine --lift",
        ],
    ),
    (
        "host_not_granted",
        "host",
        [
            "the plugin asked for a host that is not granted",
            "插件请求了未授权的主机",
        ],
        [
            "look at the log for which; it has to be declared in the manifest and granted",
            "日志中有主机名；它必须在清单中声明并获授权",
        ],
    ),
    (
        "address_not_allowed",
        "host",
        [
            "the host's address is private and not opened",
            "该主机的地址属于内网且未放行",
        ],
        [
            "an operator opens it with --private-host, if it is meant",
            "如确有需要，由运维用 --private-host 放行",
        ],
    ),
    (
        "secret_not_bound",
        "host",
        [
            "the plugin tried to send a secret to a host it is not bound to",
            "插件试图把密钥发送到未绑定的主机",
        ],
        [
            "the manifest has to bind the secret to that host; treat a surprise as an attack",
            "清单须把密钥绑定到该主机；若出乎意料，请视为攻击",
        ],
    ),
    (
        "use_not_granted",
        "host",
        [
            "the plugin used a secret in a way that is not granted",
            "插件以未授权的方式使用密钥",
        ],
        ["look at the secret's uses in the grants", "查看授权中该密钥的用途"],
    ),
    (
        "secret_not_found",
        "host",
        ["a secret is not set", "缺少密钥"],
        ["set it: aistack plugin secret set", "请设置：aistack plugin secret set"],
    ),
    (
        "kv_full",
        "plugin",
        ["the plugin's state is full", "插件的状态空间已满"],
        [
            "the manifest asks for the space; report it to the author",
            "空间大小由清单申请；请报告作者",
        ],
    ),
    (
        "connect_failed",
        "provider",
        ["the provider could not be reached", "无法连接对方服务"],
        [
            "check the address in the config, the network and the provider's status page",
            "检查配置中的地址、网络及对方服务状态",
        ],
    ),
    (
        "tls_failed",
        "provider",
        [
            "no secure connection to the provider could be made",
            "无法与对方建立安全连接",
        ],
        [
            "check the provider's certificate and the name in the config",
            "检查对方证书与配置中的名称",
        ],
    ),
    (
        "connection_broken",
        "provider",
        ["the connection to the provider broke", "与对方的连接中断"],
        [
            "try again; look the outcome up if something may have been done",
            "请重试；若可能已执行，请查询结果",
        ],
    ),
    (
        "response_too_large",
        "provider",
        ["the provider's answer is larger than it may be", "对方的应答过大"],
        [
            "report it to the author: large answers are fetched as downloads",
            "请报告作者：大的应答应以下载方式获取",
        ],
    ),
];

/// For codes of the plugin's own.
pub(super) const OUTCOMES: &[Entry] = &[
    (
        "ok",
        "plugin",
        ["the call ended well", "调用成功"],
        ["nothing to do", "无需处理"],
    ),
    (
        "fault",
        "plugin",
        ["the plugin answered with a fault of its own", "插件返回了自己的错误"],
        [
            "the code and the log lines are the plugin's; its documentation says what they mean",
            "代码与日志由插件给出，含义见其文档",
        ],
    ),
    (
        "trap",
        "plugin",
        ["the plugin crashed", "插件崩溃"],
        [
            "its last log lines say where; report them to the author",
            "最后几行日志说明了位置；请报告作者",
        ],
    ),
    (
        "timeout",
        "plugin",
        ["the call took longer than it may", "调用超时"],
        [
            "look at the provider's latency and at the limits in the manifest",
            "检查对方延迟与清单中的限制",
        ],
    ),
    (
        "limit",
        "plugin",
        ["the plugin ran into a bound of the call", "插件触及调用的限制"],
        [
            "the code names the bound; the manifest may ask for more within the platform's caps",
            "代码指明了限制；清单可在平台上限内申请更多",
        ],
    ),
    (
        "refused",
        "host",
        ["the call was not made", "未发起调用"],
        [
            "the code says why; nothing has happened at the provider",
            "代码说明了原因；对方未发生任何事",
        ],
    ),
];
