using System.Diagnostics;
using System.Text.Json;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>Machines are added, upgraded and removed over a real OpenSSH server in a network of its own, with the published agent.</summary>
[Collection(PublishedAgent.Tests)]
public sealed class AddOverSshTests(PublishedAgent agent)
{
    [Fact(Timeout = 300_000)]
    public async Task Add_ThenAgainThenUpgradeThenRemove_LeavesNothingBehind()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        await using var machine = await SshMachine.StartAsync(cancelled);
        await using var coordinator = await CoordinatorProcess.StartAsync(machine.HostAddress, cancelled, agent.Setting);
        var access = new { target = $"root@{machine.Address}", keyFile = machine.RootKeyFile };

        var unknown = await coordinator.AddAsync(access, cancelled);
        Assert.Equal("hostKeyUnknown", Kind(unknown));
        Assert.Equal(machine.HostKeyFingerprint(), unknown.GetProperty("problem").GetProperty("hostKey").GetProperty("fingerprint").GetString());

        var added = await coordinator.AddAsync(new { access.target, access.keyFile, hostKey = machine.HostKeyFingerprint() }, cancelled);
        Succeeded(added, machine, coordinator);
        var nodeId = added.GetProperty("nodeId").GetString()!;
        Assert.Contains(added.GetProperty("notes").EnumerateArray(), note => note.GetString()!.Contains("no systemd", StringComparison.Ordinal));
        var node = await coordinator.GetAsync($"/api/nodes/{nodeId}", cancelled);
        Assert.Equal("ready", node.GetProperty("state").GetString());
        Assert.Contains(node.GetProperty("addresses").EnumerateArray(), address => address.GetProperty("url").GetString()!.Contains(machine.Address, StringComparison.Ordinal));
        Assert.Equal("600 root", machine.Inside("stat -c '%a %U' /opt/clusterllm/settings/join-token").Output.Trim());
        Assert.Equal("700 root", machine.Inside("stat -c '%a %U' /opt/clusterllm/settings").Output.Trim());
        Assert.Equal("", machine.Inside("ls -d ~root/.clusterllm-install.* 2>/dev/null").Output.Trim());

        var again = await coordinator.AddAsync(access, cancelled);
        Succeeded(again, machine, coordinator);
        Assert.StartsWith("not restarted", Detail(again, "start"), StringComparison.Ordinal);
        Assert.Equal(node.GetProperty("joinedAt").GetString(), (await coordinator.GetAsync($"/api/nodes/{nodeId}", cancelled)).GetProperty("joinedAt").GetString());
        Assert.Equal(nodeId, again.GetProperty("nodeId").GetString());

        await UpgradeAsync(coordinator, machine, access, nodeId, cancelled);

        var removed = await coordinator.RunAsync("/api/node-runs/removals", access, cancelled);
        Succeeded(removed, machine, coordinator);
        Assert.Equal("", machine.Inside("ls -A /opt; pgrep -f [C]lusterLlm.NodeAgent").Output.Trim());
        Assert.Empty((await coordinator.GetAsync("/api/nodes", cancelled)).EnumerateArray());
        Succeeded(await coordinator.RunAsync("/api/node-runs/removals", access, cancelled), machine, coordinator);
    }

    [Fact(Timeout = 300_000)]
    public async Task Add_AccountWithoutSudo_IsToldWhyAndMayChooseAServiceOfTheAccount()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        await using var machine = await SshMachine.StartAsync(cancelled);
        await using var coordinator = await CoordinatorProcess.StartAsync(machine.HostAddress, cancelled, agent.Setting);
        var hostKey = machine.HostKeyFingerprint();

        var wrong = await coordinator.AddAsync(new { target = machine.Target, password = "not-the-password-9371", hostKey }, cancelled);
        Assert.Equal("notAuthenticated", Kind(wrong));
        Assert.Contains("the password", Message(wrong), StringComparison.Ordinal);

        var refused = await coordinator.AddAsync(new { target = machine.Target, password = SshMachine.Password, hostKey }, cancelled);
        Assert.Equal("needsRoot", Kind(refused));
        Assert.Contains("userService", Message(refused), StringComparison.Ordinal);
        Assert.Equal("", machine.Inside("ls -A /opt").Output.Trim());

        var added = await coordinator.AddAsync(new { target = machine.Target, password = SshMachine.Password, userService = true, nodeId = "mini-1" }, cancelled);
        Succeeded(added, machine, coordinator);
        Assert.Equal("mini-1", added.GetProperty("nodeId").GetString());
        Assert.Equal("ready", (await coordinator.GetAsync("/api/nodes/mini-1", cancelled)).GetProperty("state").GetString());
        Assert.Equal(SshMachine.User, machine.Inside("stat -c %U /home/mini/.clusterllm/installed/current/").Output.Trim());
        Assert.Equal(SshMachine.User, machine.Inside("ps -o user= -C ClusterLlm.NodeA").Output.Trim());

        Succeeded(await coordinator.RunAsync("/api/node-runs/removals", new { target = machine.Target, password = SshMachine.Password }, cancelled), machine, coordinator);
        Assert.Equal("", machine.Inside("ls -A /home/mini/.clusterllm").Output.Trim());
        foreach (var secret in new[] { SshMachine.Password, "not-the-password-9371" })
        {
            Assert.DoesNotContain(secret, coordinator.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, machine.Log, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, (await coordinator.GetAsync("/api/node-runs", cancelled)).GetRawText(), StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task Add_AccountWithSudoAndAnSshAgent_InstallsForTheSystemAndTellsNoPassword()
    {
        SshMachine.Require();
        Assert.SkipUnless(File.Exists("/usr/bin/sudo"), "/usr/bin/sudo is missing: apt-get install sudo.");
        var cancelled = TestContext.Current.CancellationToken;
        await using var machine = await SshMachine.StartAsync(cancelled, sudo: true);
        // The first key opens nothing there: as with people who have several.
        using var keys = await SshAgentProcess.StartAsync(cancelled, machine.RootKeyFile, machine.UserKeyFile);
        await using var coordinator = await CoordinatorProcess.StartAsync(machine.HostAddress, keys.Socket, cancelled, agent.Setting);
        var hostKey = machine.HostKeyFingerprint();

        var unasked = await coordinator.AddAsync(new { target = machine.Target, hostKey }, cancelled);
        Assert.True(Kind(unasked) == "needsRoot", $"{unasked}\n{machine.Log}");
        var wrong = await coordinator.AddAsync(new { target = machine.Target, sudoPassword = "not-the-password-5512" }, cancelled);
        Assert.Equal("needsRoot", Kind(wrong));

        var added = await coordinator.AddAsync(new { target = machine.Target, sudoPassword = SshMachine.Password }, cancelled);
        Succeeded(added, machine, coordinator);
        Assert.Contains("Accepted publickey for mini", machine.Log, StringComparison.Ordinal);
        Assert.Equal("root", machine.Inside("stat -c %U /opt/clusterllm/current/").Output.Trim());
        Assert.Equal("600 mini", machine.Inside("stat -c '%a %U' /opt/clusterllm/settings/join-token").Output.Trim());
        Assert.Equal(SshMachine.User, machine.Inside("ps -o user= -C ClusterLlm.NodeA").Output.Trim());

        Succeeded(await coordinator.RunAsync("/api/node-runs/removals", new { target = machine.Target, sudoPassword = SshMachine.Password }, cancelled), machine, coordinator);
        Assert.Equal("", machine.Inside("ls -A /opt; pgrep -f [C]lusterLlm.NodeAgent").Output.Trim());
        var told = coordinator.Output + machine.Log + (await coordinator.GetAsync("/api/node-runs", cancelled)).GetRawText();
        Assert.All(new[] { SshMachine.Password, "not-the-password-5512" }, secret => Assert.DoesNotContain(secret, told, StringComparison.Ordinal));
    }

    [Fact(Timeout = 300_000)]
    public async Task Add_HostKeyChanged_SendsNothingUntilTheNewOneIsConfirmed()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        await using var machine = await SshMachine.StartAsync(cancelled);
        await using var coordinator = await CoordinatorProcess.StartAsync(machine.HostAddress, cancelled, agent.Setting);
        var access = new { target = machine.Target, password = SshMachine.Password };
        var old = machine.HostKeyFingerprint();
        Assert.Equal("needsRoot", Kind(await coordinator.AddAsync(new { access.target, access.password, hostKey = old }, cancelled)));

        await machine.ReplaceHostKeyAsync(cancelled);
        var changed = await coordinator.AddAsync(access, cancelled);
        Assert.Equal("hostKeyChanged", Kind(changed));
        Assert.Contains(old, Message(changed), StringComparison.Ordinal);
        Assert.Contains(machine.HostKeyFingerprint(), Message(changed), StringComparison.Ordinal);
        Assert.DoesNotContain("Failed password", machine.LogSinceNewKey, StringComparison.Ordinal);
        Assert.DoesNotContain("Accepted password", machine.LogSinceNewKey, StringComparison.Ordinal);

        Assert.Equal("needsRoot", Kind(await coordinator.AddAsync(new { access.target, access.password, hostKey = machine.HostKeyFingerprint() }, cancelled)));
        Assert.Equal("needsRoot", Kind(await coordinator.AddAsync(access, cancelled)));
    }

    [Fact(Timeout = 300_000)]
    public async Task Add_ConnectionLostWhileCopying_IsSaidAndTheNextRunGoesThrough()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        await using var machine = await SshMachine.StartAsync(cancelled);
        await using var coordinator = await CoordinatorProcess.StartAsync(machine.HostAddress, cancelled, agent.Setting, "--Adding:StallTimeout=00:00:02");
        var access = new { target = $"root@{machine.Address}", keyFile = machine.RootKeyFile, hostKey = machine.HostKeyFingerprint() };
        using (machine.Slow())
        {
            var down = 0L;
            var lost = await coordinator.RunAsync("/api/nodes", access, cancelled, run =>
            {
                if (down == 0 && Step(run, "copy").GetProperty("fraction") is { ValueKind: JsonValueKind.Number } fraction && fraction.GetDouble() > 0.05)
                {
                    down = Stopwatch.GetTimestamp();
                    machine.SetLink(up: false);
                }
            });
            var took = Stopwatch.GetElapsedTime(down);
            Assert.True(Kind(lost) == "lost", $"{lost}\n{coordinator.Output}");
            var problem = lost.GetProperty("problem");
            Assert.Equal("copy", problem.GetProperty("step").GetString());
            Assert.Matches($@"The connection to root@{machine.Address} was lost after [\d,.]+ bytes: nothing went through for 2 s\.", Message(lost));
            Assert.Contains($"'node add root@{machine.Address}'", problem.GetProperty("repeat").GetString(), StringComparison.Ordinal);
            // Two seconds, and what the end of a run takes; TCP itself would try for a quarter of an hour.
            Assert.True(took < TimeSpan.FromSeconds(30), $"{took}");
            machine.SetLink(up: true);
        }

        Assert.Equal("", machine.Inside("ls -A /opt").Output.Trim());
        Succeeded(await coordinator.AddAsync(access, cancelled), machine, coordinator);
        var again = await coordinator.AddAsync(access, cancelled);
        Succeeded(again, machine, coordinator);
        Assert.StartsWith("not restarted", Detail(again, "start"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task Add_DiskTooSmallOrFullInTheMiddle_NamesBytesAndKeepsWhatWasThere()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        var needed = agent.Package.Bytes + agent.Package.UnpackedBytes;
        await using var machine = await SshMachine.StartAsync(cancelled, optBytes: needed + (needed / 8));
        await using var coordinator = await CoordinatorProcess.StartAsync(machine.HostAddress, cancelled, agent.Setting);
        var access = new { target = $"root@{machine.Address}", keyFile = machine.RootKeyFile, hostKey = machine.HostKeyFingerprint() };

        // Enough when it is looked at, too little when it is unpacked.
        var filled = false;
        using (machine.Slow())
        {
            var full = await coordinator.RunAsync("/api/nodes", access, cancelled, run =>
            {
                if (!filled && Step(run, "copy").GetProperty("state").GetString() == "running")
                {
                    filled = true;
                    machine.Inside($"head -c {needed} /dev/zero > /opt/filler");
                }
            });
            Assert.Equal("install", full.GetProperty("problem").GetProperty("step").GetString());
            Assert.Contains("No space left", Message(full), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("current", machine.Inside("ls -A /opt/clusterllm /opt/clusterllm/versions").Output, StringComparison.Ordinal);
        var refused = await coordinator.AddAsync(access, cancelled);
        Assert.Equal("agent", refused.GetProperty("problem").GetProperty("step").GetString());
        Assert.Contains($"{needed:N0} bytes are needed", Message(refused), StringComparison.Ordinal);

        machine.Inside("rm /opt/filler");
        Succeeded(await coordinator.AddAsync(access, cancelled), machine, coordinator);
    }

    [Fact(Timeout = 120_000)]
    public async Task Add_NobodyThereOrTwoAtOnce_IsSaid()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        await using var coordinator = await CoordinatorProcess.StartAsync("127.0.0.1", cancelled, agent.Setting);
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;

        // A port that takes connections and says nothing: the first run waits there while the second one comes.
        using var first = await coordinator.PostAsync("/api/nodes", new { target = $"a@127.0.0.1:{port}" }, cancelled);
        using var second = await coordinator.PostAsync("/api/nodes", new { target = $"b@127.0.0.1:{port}" }, cancelled);
        Assert.Equal((System.Net.HttpStatusCode.Accepted, System.Net.HttpStatusCode.Conflict), (first.StatusCode, second.StatusCode));

        using var bad = await coordinator.PostAsync("/api/nodes", new { target = "nobody", password = "two\nlines", nodeId = "-x" }, cancelled);
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, bad.StatusCode);
        var errors = JsonSerializer.Deserialize<JsonElement>(await bad.Content.ReadAsStringAsync(cancelled)).GetProperty("errors");
        Assert.Equal(["nodeId", "password", "target"], errors.EnumerateObject().Select(one => one.Name).Order(StringComparer.Ordinal));
    }

    private async Task UpgradeAsync(CoordinatorProcess coordinator, SshMachine machine, object access, string nodeId, CancellationToken cancelled)
    {
        var before = await coordinator.GetAsync($"/api/nodes/{nodeId}", cancelled);
        var old = machine.Inside("readlink /opt/clusterllm/current").Output.Trim();
        await agent.WithAnotherBuildAsync(
            async () =>
            {
                Succeeded(await coordinator.AddAsync(access, cancelled), machine, coordinator);
                Assert.NotEqual(old, machine.Inside("readlink /opt/clusterllm/current").Output.Trim());
                Assert.NotEqual(before.GetProperty("joinedAt").GetString(), (await coordinator.GetAsync($"/api/nodes/{nodeId}", cancelled)).GetProperty("joinedAt").GetString());
            },
            cancelled);
    }

    private static string? Kind(JsonElement run) => run.GetProperty("problem") is { ValueKind: JsonValueKind.Object } problem ? problem.GetProperty("kind").GetString() : run.GetProperty("state").GetString();

    private static string Message(JsonElement run) => run.GetProperty("problem").GetProperty("message").GetString()!;

    private static JsonElement Step(JsonElement run, string name) => run.GetProperty("steps").EnumerateArray().First(step => step.GetProperty("name").GetString() == name);

    private static string? Detail(JsonElement run, string step) => Step(run, step).GetProperty("detail").GetString();

    private static void Succeeded(JsonElement run, SshMachine machine, CoordinatorProcess coordinator) =>
        Assert.True(run.GetProperty("state").GetString() == "succeeded", $"{run}\n{coordinator.Output}\n{machine.Inside("tail -n 30 /opt/clusterllm/logs/agent.log /home/mini/.clusterllm/installed/logs/agent.log").Output}\n{machine.Log}");
}
