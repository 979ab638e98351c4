using System.Diagnostics;
using System.Globalization;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>
/// A machine of its own, as far as SSH and an agent can see: OpenSSH's server in a network, process and mount namespace, with its own accounts, homes,
/// <c>/opt</c> and <c>/run</c>. Nothing of it reaches the host's files, and all of its processes end with it.
/// </summary>
internal sealed class SshMachine : IAsyncDisposable
{
    public const string User = "mini";
    public const string Password = "correct horse: battery's \"staple\"";

    private readonly string _folder;
    private readonly Process _process;
    private readonly List<string> _log;
    private int _linesBeforeNewKey;

    private SshMachine(string name, string folder, Process process, List<string> log, string address, string hostAddress)
    {
        (Name, _folder, _process, _log, Address, HostAddress) = (name, folder, process, log, address, hostAddress);
    }

    /// <summary>Of the network namespace.</summary>
    public string Name { get; }

    public string Address { get; }

    /// <summary>The test's own address on the link to the machine.</summary>
    public string HostAddress { get; }

    public string Target => $"{User}@{Address}";

    public string RootKeyFile => Path.Combine(_folder, "root-key");

    /// <summary>RSA, of <see cref="User"/>: what people with older keys have in their SSH agent.</summary>
    public string UserKeyFile => Path.Combine(_folder, "user-key");

    /// <summary>What sshd said.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return string.Join('\n', _log);
            }
        }
    }

    /// <summary>Why there can be no such machine here; null when there can.</summary>
    public static string? Missing { get; } = FindMissing();

    /// <summary>Skips the running test, saying what is missing, where this can't be done.</summary>
    public static void Require() => Assert.SkipWhen(Missing is not null, Missing ?? "");

    /// <param name="optBytes">Size of the machine's <c>/opt</c>.</param>
    /// <param name="sudo">Whether <see cref="User"/> may become root with the password, as the first account of a Mac may.</param>
    public static async Task<SshMachine> StartAsync(CancellationToken cancellationToken, long optBytes = 1L << 30, bool sudo = false)
    {
        var folder = Directory.CreateTempSubdirectory("ssh-machine-").FullName;
        var number = Random.Shared.Next(1 << 14);
        var (name, subnet) = ($"cllm{number:x4}", $"10.{200 + (number >> 12)}.{(number >> 4) & 0xFF}.{(number & 0xF) * 16}");
        var (host, address) = (Shift(subnet, 1), Shift(subnet, 2));
        Need("ip", "netns", "add", name);
        Need("ip", "link", "add", $"{name}h", "type", "veth", "peer", "name", "eth0", "netns", name);
        Need("ip", "addr", "add", $"{host}/28", "dev", $"{name}h");
        Need("ip", "link", "set", $"{name}h", "up");
        Need("ip", "-n", name, "addr", "add", $"{address}/28", "dev", "eth0");
        Need("ip", "-n", name, "link", "set", "eth0", "up");
        Need("ip", "-n", name, "link", "set", "lo", "up");
        WriteFiles(folder, address, optBytes, sudo);
        var process = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", name, "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", Path.Combine(folder, "boot")])
        {
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!;
        var log = new List<string>();
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, e) =>
        {
            lock (log)
            {
                log.Add(e.Data ?? "");
            }

            if (e.Data is null)
            {
                listening.TrySetException(new InvalidOperationException($"sshd ended: {string.Join('\n', log)}"));
            }
            else if (e.Data.Contains("Server listening", StringComparison.Ordinal))
            {
                listening.TrySetResult();
            }
        };
        process.BeginErrorReadLine();
        var machine = new SshMachine(name, folder, process, log, address, host);
        await listening.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
        return machine;
    }

    /// <summary>The host key's fingerprint, as a person reads it on the machine.</summary>
    public string HostKeyFingerprint() => Run("ssh-keygen", "-lf", Path.Combine(_folder, "host-key.pub")).Output.Split(' ')[1];

    /// <summary>Runs a command inside, as root.</summary>
    public (int ExitCode, string Output) Inside(string script) => Run("nsenter", "--target", InnerPid(), "--mount", "--net", "--pid", "/bin/sh", "-c", script);

    /// <summary>Makes the link to the machine carry nothing, or carry again.</summary>
    public void SetLink(bool up)
    {
        Need("ip", "-n", Name, "link", "set", "eth0", up ? "up" : "down");
        // Else the host remembers for a second that nobody was there.
        Need("ip", "neigh", "flush", "dev", $"{Name}h");
    }

    /// <summary>Puts a cable between this machine and another one.</summary>
    /// <param name="name">Of the interface at both ends.</param>
    public void Connect(SshMachine other, string name, string address, string otherAddress)
    {
        Need("ip", "-n", Name, "link", "add", name, "type", "veth", "peer", "name", name, "netns", other.Name);
        foreach (var (machine, own) in new[] { (this, address), (other, otherAddress) })
        {
            Need("ip", "-n", machine.Name, "addr", "add", $"{own}/24", "dev", name);
            Need("ip", "-n", machine.Name, "link", "set", name, "up");
        }
    }

    /// <summary>Lets 20 Mbit/s leave by an interface of this machine.</summary>
    public void SlowDown(string name) => Need("tc", "-n", Name, "qdisc", "add", "dev", name, "root", "tbf", "rate", "20mbit", "burst", "64kb", "latency", "200ms");

    /// <summary>Makes the link slow, so that copying takes seconds, until the result is disposed of.</summary>
    public IDisposable Slow()
    {
        Need("tc", "qdisc", "add", "dev", $"{Name}h", "root", "tbf", "rate", "100mbit", "burst", "64kb", "latency", "200ms");
        return new Slowness(Name);
    }

    /// <summary>What sshd said since <see cref="ReplaceHostKeyAsync"/>.</summary>
    public string LogSinceNewKey => string.Join('\n', Log.Split('\n').Skip(_linesBeforeNewKey));

    /// <summary>Gives the machine another host key, as a new installation of its system does.</summary>
    public async Task ReplaceHostKeyAsync(CancellationToken cancellationToken)
    {
        File.Delete(Path.Combine(_folder, "host-key"));
        Need("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(_folder, "host-key"));
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data?.Contains("Server listening", StringComparison.Ordinal) == true)
            {
                listening.TrySetResult();
            }
        };
        _linesBeforeNewKey = Log.Split('\n').Length;
        Need("kill", "-HUP", InnerPid());
        await listening.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // The first process of the namespace: with it all others end.
            Run("kill", "-KILL", InnerPid());
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        Run("ip", "netns", "del", Name);
        Run("ip", "link", "del", $"{Name}h");
        Directory.Delete(_folder, recursive: true);
    }

    private static string? FindMissing()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
        {
            return "Network namespaces need Linux and root.";
        }

        string[] programs = ["/usr/sbin/sshd", "/usr/bin/ssh-keygen", "/usr/bin/unshare", "/usr/bin/nsenter", "/usr/bin/openssl", "/usr/bin/curl", "/sbin/ip", "/sbin/tc", "/usr/bin/pgrep", "/bin/hostname"];
        if (programs.FirstOrDefault(program => !File.Exists(program)) is { } absent)
        {
            return $"{absent} is missing: apt-get install openssh-server iproute2 util-linux procps hostname openssl curl.";
        }

        var probe = $"cllmprobe{Environment.ProcessId}";
        var made = Run("ip", "netns", "add", probe);
        Run("ip", "netns", "del", probe);
        return made.ExitCode == 0 ? null : $"Network namespaces can't be made here: {made.Output}";
    }

    private static void WriteFiles(string folder, string address, long optBytes, bool sudo)
    {
        Need("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, "host-key"));
        Need("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, "root-key"));
        Need("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", Path.Combine(folder, "user-key"));
        var hash = Run("openssl", "passwd", "-6", Password).Output.Trim();
        File.WriteAllText(Path.Combine(folder, "account"), $"{User}:x:4242:4242::/home/{User}:/bin/sh\n");
        File.WriteAllText(Path.Combine(folder, "secret"), $"{User}:{hash}:20000:0:99999:7:::\n");
        File.WriteAllText(
            Path.Combine(folder, "sshd_config"),
            $"""
            Port 22
            ListenAddress {address}
            HostKey {folder}/host-key
            PidFile none
            UsePAM no
            StrictModes no
            PermitRootLogin prohibit-password
            AuthorizedKeysFile {folder}/%u-keys /home/%u/.ssh/authorized_keys
            PasswordAuthentication yes
            KbdInteractiveAuthentication no
            MaxStartups 100
            LogLevel VERBOSE
            """);
        File.Copy(Path.Combine(folder, "root-key.pub"), Path.Combine(folder, "root-keys"));
        File.WriteAllText(Path.Combine(folder, "sudoers"), sudo ? $"root ALL=(ALL:ALL) ALL\n{User} ALL=(ALL:ALL) ALL\n" : "root ALL=(ALL:ALL) ALL\n");
        File.WriteAllText(
            Path.Combine(folder, "boot"),
            $"""
            set -e
            mount --make-rprivate /
            mount -t tmpfs -o size={optBytes} tmpfs /opt
            mount -t tmpfs tmpfs /run
            mount -t tmpfs tmpfs /home
            mkdir -p /run/sshd /run/etc /home/{User} /run/root
            cp -a /etc/passwd /etc/shadow /etc/group /run/etc/
            cat {folder}/account >>/run/etc/passwd
            cat {folder}/secret >>/run/etc/shadow
            echo '{User}:x:4242:' >>/run/etc/group
            od -An -tx1 -N16 /dev/urandom | tr -d ' \n' >/run/etc/machine-id
            for file in passwd shadow group machine-id; do [ ! -e /etc/$file ] || mount --bind /run/etc/$file /etc/$file; done
            install -m 440 {folder}/sudoers /run/etc/sudoers
            [ ! -e /etc/sudoers ] || mount --bind /run/etc/sudoers /etc/sudoers
            hostname {Path.GetFileName(folder)}
            install -D -m 644 {folder}/user-key.pub /home/{User}/.ssh/authorized_keys
            chown -R 4242:4242 /home/{User}
            mount --bind /run/root /root
            exec /usr/sbin/sshd -D -e -f {folder}/sshd_config
            """);
    }

    // The child of unshare, as the host numbers it.
    private string InnerPid()
    {
        var unshare = _process.Id;
        var child = File.ReadAllText($"/proc/{unshare}/task/{unshare}/children").Trim().Split(' ')[0];
        return child.Length > 0 ? child : unshare.ToString(CultureInfo.InvariantCulture);
    }

    private static string Shift(string subnet, int by)
    {
        var parts = subnet.Split('.');
        return $"{parts[0]}.{parts[1]}.{parts[2]}.{int.Parse(parts[3], CultureInfo.InvariantCulture) + by}";
    }

    private static void Need(string program, params string[] arguments)
    {
        var (code, output) = Run(program, arguments);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)}: {output}");
    }

    private static (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + errors.Result);
    }

    private sealed class Slowness(string name) : IDisposable
    {
        public void Dispose() => Run("tc", "qdisc", "del", "dev", $"{name}h", "root");
    }
}
