namespace ClusterLlm.Coordinator.Nodes.Adding.Ssh;

/// <summary>A machine's host key.</summary>
/// <param name="Type">For example <c>ssh-ed25519</c>.</param>
/// <param name="Fingerprint"><c>SHA256:</c> and 43 characters of base64, as <c>ssh-keygen -lf</c> prints it.</param>
internal sealed record HostKey(string Type, string Fingerprint);

/// <summary>Which host key is taken.</summary>
/// <param name="Pinned">The one that was trusted before; <see langword="null"/> at the first time.</param>
/// <param name="Confirmed">A fingerprint that the person has compared; <see langword="null"/> for none.</param>
internal sealed record HostKeyTrust(HostKey? Pinned, string? Confirmed);

/// <summary>Whether a presented host key is taken. Pure.</summary>
internal static class HostKeyPolicy
{
    /// <returns><see langword="null"/> when it is trusted, else why not.</returns>
    public static TargetProblem? Judge(HostKeyTrust trust, HostKey presented)
    {
        if (trust.Confirmed is { } confirmed)
        {
            // Said for this very key, so it also replaces one that was pinned.
            return Same(confirmed, presented.Fingerprint) ? null : trust.Pinned is null ? TargetProblem.HostKeyUnknown : TargetProblem.HostKeyChanged;
        }

        return trust.Pinned is null ? TargetProblem.HostKeyUnknown
            : Same(trust.Pinned.Fingerprint, presented.Fingerprint) ? null
            : TargetProblem.HostKeyChanged;
    }

    public static string Explain(TargetProblem problem, TargetAddress address, HostKeyTrust trust, HostKey presented) => problem switch
    {
        TargetProblem.HostKeyChanged =>
            $"{address.Host} shows the host key {presented.Fingerprint} ({presented.Type}), but {trust.Pinned?.Fingerprint} is pinned for it. Either the machine was installed anew, or another one answers in its place. "
            + "If you know why, compare the new fingerprint on the machine itself and give it as hostKey.",
        _ when trust.Confirmed is { } confirmed => $"{address.Host} shows the host key {presented.Fingerprint} ({presented.Type}) and not {confirmed}. Another machine answers there, or the fingerprint has a slip.",
        _ => $"{address.Host} shows the host key {presented.Fingerprint} ({presented.Type}), which is not known yet. Compare it on the machine itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and give it as hostKey; it is pinned from then on.",
    };

    // People leave out the prefix, and base64's padding comes and goes.
    private static bool Same(string left, string right) => Normal(left) == Normal(right);

    private static string Normal(string fingerprint)
    {
        var text = fingerprint.Trim();
        return (text.StartsWith("SHA256:", StringComparison.OrdinalIgnoreCase) ? text["SHA256:".Length..] : text).TrimEnd('=');
    }
}
