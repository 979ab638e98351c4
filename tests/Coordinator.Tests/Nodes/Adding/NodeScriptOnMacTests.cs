using System.Diagnostics;
using System.Xml;
using System.Xml.Linq;
using System.Runtime.Versioning;
using ClusterLlm.Coordinator.Nodes.Adding.Installing;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>
/// <c>node.sh</c> runs here as it is, in front of programs that say what a Mac's say: <c>uname</c> and <c>id</c>, and a <c>launchctl</c> that gives recorded
/// answers in a given order and notes what it was asked.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class NodeScriptOnMacTests : IDisposable
{
    private const string Label = "org.clusterllm.node";

    private readonly string _folder = Directory.CreateTempSubdirectory("node-script-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Install_AsRoot_WritesADaemonThatStartsAtBootAndRestarts()
    {
        Require();
        var installed = Install(userId: 0, user: "root");
        Assert.Equal(0, installed.ExitCode);
        Assert.Equal("launchd-daemon", InstalledService.Read(installed.Output).Service);

        var plist = ReadPlist(Path.Combine(_folder, $"Library/LaunchDaemons/{Label}.plist"));
        Assert.Equal(Label, plist["Label"]);
        Assert.Equal($"{Root}/current/ClusterLlm.NodeAgent", Assert.Single(Assert.IsType<List<object>>(plist["ProgramArguments"])));
        Assert.Equal((true, true), (plist["RunAtLoad"], plist["KeepAlive"]));
        Assert.Equal("root", plist["UserName"]);
        Assert.Equal($"{Root}/settings", plist["WorkingDirectory"]);
        Assert.Equal("Interactive", plist["ProcessType"]);
        var environment = Assert.IsType<Dictionary<string, object>>(plist["EnvironmentVariables"]);
        Assert.Equal($"{Root}/home", environment["CLUSTERLLM_HOME"]);
        Assert.Contains("/opt/homebrew/bin", Assert.IsType<string>(environment["PATH"]), StringComparison.Ordinal);
        Assert.DoesNotContain("LimitLoadToSessionType", plist.Keys);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Root, "settings", "join-token")));

        var settings = System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(Path.Combine(Root, "settings", "appsettings.json")))!;
        Assert.Equal(("mini-1", $"{Root}/settings/join-token"), (settings["Node:Id"], settings["Node:JoinTokenFile"]));
        Assert.Equal("no", NodeScript.ReadAnswer(Install(userId: 0, user: "root").Output)["changed"]);
    }

    [Fact]
    public void Install_AsSomebodyElse_WritesALaunchAgentForBothSessionTypes()
    {
        Require();
        var installed = Install(userId: 501, user: "root");
        Assert.Equal("launchd-agent", InstalledService.Read(installed.Output).Service);

        var plist = ReadPlist(Path.Combine(_folder, $"Library/LaunchAgents/{Label}.plist"));
        Assert.Equal(["Aqua", "Background"], Assert.IsType<List<object>>(plist["LimitLoadToSessionType"]));
        Assert.DoesNotContain("UserName", plist.Keys);
    }

    [Fact]
    public void Start_FirstTime_BootstrapsAfterBootoutFindsNothing()
    {
        Require();
        Install(userId: 0, user: "root");
        Launchctl(
            ("bootout", 3, "launchctl_bootout_failed_3.txt"),
            ("print", 113, "launchctl_print_not_found_system.txt"),
            ("enable", 0, null),
            ("bootstrap", 0, null),
            ("print", 0, "launchctl_print_system_daemon_26.6.2.txt"));

        var started = Run(0, "start", "--root", Root, "--user", "root");

        Assert.Equal((0, "started"), (started.ExitCode, NodeScript.ReadAnswer(started.Output).GetValueOrDefault("state")));
        Assert.Equal(
            [$"bootout system/{Label}", $"print system/{Label}", $"enable system/{Label}", $"bootstrap system {_folder}/Library/LaunchDaemons/{Label}.plist", $"print system/{Label}"],
            Asked());
    }

    [Fact]
    public void Start_OldJobIsStillTornDown_WaitsAndTriesAgain()
    {
        Require();
        Install(userId: 0, user: "root");
        Launchctl(
            ("bootout", 0, null),
            ("print", 0, "launchctl_print_system_daemon_26.6.2.txt"),
            ("print", 113, "launchctl_print_not_found_system.txt"),
            ("enable", 0, null),
            ("bootstrap", 5, "launchctl_bootstrap_failed_5.txt"),
            ("print", 113, "launchctl_print_not_found_system.txt"),
            ("bootstrap", 0, null),
            ("print", 0, "launchctl_print_system_daemon_26.6.2.txt"));

        Assert.Equal(0, Run(0, "start", "--root", Root, "--user", "root").ExitCode);
        Assert.Equal(8, Asked().Length);
    }

    [Fact]
    public void Start_Bootstrap5AlthoughTheJobIsLoaded_IsTakenAsStarted()
    {
        Require();
        Install(userId: 0, user: "root");
        Launchctl(
            ("bootout", 113, "launchctl_print_not_found_system.txt"),
            ("print", 113, "launchctl_print_not_found_system.txt"),
            ("enable", 0, null),
            ("bootstrap", 5, "launchctl_bootstrap_failed_5.txt"),
            ("print", 0, "launchctl_print_system_daemon_26.6.2.txt"));

        Assert.Equal(0, Run(0, "start", "--root", Root, "--user", "root").ExitCode);
    }

    [Fact]
    public void Start_LaunchAgentWithNobodyAtTheScreen_UsesTheUserDomain()
    {
        Require();
        Install(userId: 501, user: "root");
        Launchctl(
            ("print", 125, null),
            ("bootout", 3, "launchctl_bootout_failed_3.txt"),
            ("print", 113, "launchctl_print_not_found_gui.txt"),
            ("enable", 0, null),
            ("bootstrap", 0, null),
            ("print", 0, "launchctl_print_gui_agent_running.txt"));

        Assert.Equal(0, Run(501, "start", "--root", Root, "--user", "root").ExitCode);
        Assert.Equal(["print gui/501", $"bootout user/501/{Label}"], Asked().Take(2));
    }

    [Fact]
    public void Remove_Installed_UndoesAllAndNothingElse()
    {
        Require();
        Install(userId: 0, user: "root");
        var other = Path.Combine(_folder, "Library/LaunchDaemons/org.example.plist");
        File.WriteAllText(other, "theirs");
        Launchctl(("bootout", 0, null), ("print", 113, "launchctl_print_not_found_system.txt"));

        Assert.Equal(0, Run(0, "remove", "--root", Root, "--user", "root").ExitCode);

        Assert.False(Directory.Exists(Root));
        Assert.Equal([other], Directory.EnumerateFiles(Path.Combine(_folder, "Library/LaunchDaemons")));
    }

    [Theory]
    [InlineData("--set", "Node:Id=a\"b", "must be KEY=VALUE")]
    [InlineData("--user", "no such", "name of an account")]
    [InlineData("--sha256", "12", "64 hexadecimal digits")]
    [InlineData("--root", "relative", "absolute path")]
    [InlineData("--archive", "/nowhere.tar.gz", "no such file")]
    [InlineData("--service", "cron", "must be launchd-daemon")]
    public void Install_BadArgument_SaysWhichAndChangesNothing(string option, string value, string expected)
    {
        Require();
        var refused = Install(userId: 0, user: "root", option, value);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(expected, refused.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Root, "current")));
    }

    [Fact]
    public void Install_ArchiveWithAnotherHash_IsRefused()
    {
        Require();
        var refused = Install(userId: 0, user: "root", "--sha256", new string('0', 64));

        Assert.Contains("The archive's SHA-256 is", refused.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Root, "versions", "0000000000000000")));
    }

    private string Root => Path.Combine(_folder, "opt", "clusterllm");

    private static void Require() => Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root" && File.Exists("/usr/bin/shasum"), "node.sh is tried on Linux, as root, with perl's shasum.");

    private (int ExitCode, string Output, string Errors) Install(int userId, string user, params string[] more)
    {
        var archive = Path.Combine(_folder, "agent.tar.gz");
        if (!File.Exists(archive))
        {
            var content = Directory.CreateDirectory(Path.Combine(_folder, "content")).FullName;
            File.WriteAllText(Path.Combine(content, "ClusterLlm.NodeAgent"), "#!/bin/sh\n");
            File.SetUnixFileMode(Path.Combine(content, "ClusterLlm.NodeAgent"), (UnixFileMode)0b111_101_101);
            Start("tar", "-czf", archive, "-C", content, ".");
            File.WriteAllText(Path.Combine(_folder, "token"), "cllm1-secret\n");
            Launchctl();
        }

        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(archive)));
        return Run(userId, ["install", "--root", Root, "--archive", archive, "--sha256", hash, "--user", user, "--token-file", Path.Combine(_folder, "token"), "--set", "Node:Id=mini-1", .. more]);
    }

    private void Launchctl(params (string Verb, int ExitCode, string? Sample)[] answers)
    {
        var shims = Directory.CreateDirectory(Path.Combine(_folder, "shims")).FullName;
        File.Delete(Path.Combine(_folder, "asked"));
        File.WriteAllText(Path.Combine(_folder, "asked"), "");
        for (var index = 0; index < answers.Length; index++)
        {
            var sample = answers[index].Sample is { } name ? Path.Combine(AppContext.BaseDirectory, "Nodes", "Adding", "Samples", name) : "/dev/null";
            File.WriteAllText(Path.Combine(_folder, $"answer-{index + 1}"), $"{answers[index].Verb} {answers[index].ExitCode} {sample}\n");
        }

        Shim(shims, "uname", "[ \"$1\" = -s ] && echo Darwin");
        Shim(shims, "id", $"case \"$*\" in -u) cat {_folder}/user-id ;; *) exec /usr/bin/id \"$@\" ;; esac");
        Shim(shims, "sleep", "exit 0");
        Shim(
            shims,
            "launchctl",
            $$"""
            echo "$*" >> {{_folder}}/asked
            number=$(wc -l < {{_folder}}/asked)
            read -r verb code sample < {{_folder}}/answer-$number || { echo "unexpected: $*" >&2; exit 99; }
            [ "$verb" = "$1" ] || { echo "expected $verb, asked $*" >&2; exit 98; }
            if [ "$code" = 0 ]; then cat "$sample"; else cat "$sample" >&2; fi
            exit "$code"
            """);
    }

    private string[] Asked() => File.ReadAllLines(Path.Combine(_folder, "asked"));

    private (int ExitCode, string Output, string Errors) Run(int userId, params string[] arguments)
    {
        File.WriteAllText(Path.Combine(_folder, "user-id"), $"{userId}\n");
        return Start("/bin/sh", [Path.Combine(AppContext.BaseDirectory, "Nodes", "Adding", "node.sh"), .. arguments]);
    }

    private (int ExitCode, string Output, string Errors) Start(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["CLUSTERLLM_NODE_PATH"] = $"{_folder}/shims:/usr/bin:/bin:/usr/sbin:/sbin",
                ["CLUSTERLLM_NODE_PREFIX"] = _folder,
                ["HOME"] = _folder,
            },
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    private static void Shim(string folder, string name, string script)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }

    /// <summary>A property list as Apple's DTD defines it: anything that is not in it is an error.</summary>
    private static Dictionary<string, object> ReadPlist(string path)
    {
        using var reader = XmlReader.Create(path, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null });
        var root = XDocument.Load(reader).Root!;
        Assert.Equal(("plist", "1.0"), (root.Name.LocalName, root.Attribute("version")?.Value));
        return Assert.IsType<Dictionary<string, object>>(Value(root.Elements().Single()));

        static object Value(XElement element) => element.Name.LocalName switch
        {
            "dict" => Pairs(element).ToDictionary(pair => pair.Key, pair => pair.Value),
            "array" => element.Elements().Select(Value).ToList(),
            "string" => element.Value,
            "integer" => long.Parse(element.Value, System.Globalization.CultureInfo.InvariantCulture),
            "true" => true,
            "false" => false,
            var other => throw new InvalidDataException($"<{other}> is no value of a property list."),
        };

        static IEnumerable<(string Key, object Value)> Pairs(XElement dict)
        {
            var elements = dict.Elements().ToArray();
            Assert.Equal(0, elements.Length % 2);
            for (var index = 0; index < elements.Length; index += 2)
            {
                Assert.Equal("key", elements[index].Name.LocalName);
                yield return (elements[index].Value, Value(elements[index + 1]));
            }
        }
    }
}
