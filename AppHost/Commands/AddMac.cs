using System.Collections.Immutable;
using System.Text;
using ClusterLlm.AppHost.Cluster;

namespace ClusterLlm.AppHost.Commands;

/// <summary>Makes another machine a node over SSH. Its secrets go to the Coordinator and nowhere else.</summary>
internal static class AddMac
{
    public static ImmutableArray<CommandArgument> Arguments { get; } =
    [
        new("target", "Mac", ArgumentKind.Text)
        {
            Required = true,
            MostCharacters = 400,
            Placeholder = "anna@mac-mini.local",
            Description = "Account and address; Remote Login must be on (System Settings, General, Sharing).",
        },
        new("password", "Password", ArgumentKind.Secret) { Description = "Of the account, for SSH and sudo. Empty: the SSH agent's and the usual keys of this machine's user." },
        new("hostKey", "Host key", ArgumentKind.Text)
        {
            Placeholder = "SHA256:…",
            Description = "Leave it empty the first time: the command then shows the key. Compare it on the Mac, and give it here.",
        },
        new("userService", "Without sudo", ArgumentKind.Choice)
        {
            Default = "no",
            Choices = [new("no", "stop and say so"), new("yes", "install a service of the account: it starts at login only")],
        },
    ];

    public static async Task<CommandOutcome> RunAsync(ClusterClient cluster, IReadOnlyDictionary<string, string?> values, CancellationToken cancellationToken)
    {
        var run = await cluster.AddNodeAsync(
            new
            {
                target = CommandValues.Text(values, "target"),
                // As it was typed: blanks may be part of it.
                password = values.GetValueOrDefault("password"),
                hostKey = CommandValues.Text(values, "hostKey") is { Length: > 0 } key ? key : null,
                userService = CommandValues.Text(values, "userService") == "yes",
            },
            cancellationToken).ConfigureAwait(false);
        await foreach (var newer in cluster.WatchRunAsync(run.Id, cancellationToken).ConfigureAwait(false))
        {
            run = newer;
        }

        var message = run switch
        {
            { Problem: { } problem } => problem.Message,
            { State: "succeeded" } => $"{run.NodeId} is a node of the cluster.",
            _ => $"The Coordinator ended while it worked on {run.Host}. Run the command again.",
        };
        return new(run.State == "succeeded", message) { Markdown = Steps(run) };
    }

    private static string Steps(NodeRunView run)
    {
        var text = new StringBuilder();
        foreach (var step in run.Steps.Where(step => step.State != "waiting"))
        {
            text.Append($"- {(step.State == "done" ? "✓" : step.State == "failed" ? "✗" : "…")} **{CommandMarkdown.Escape(step.Title)}** {CommandMarkdown.Escape(step.Detail ?? "")}\n");
        }

        foreach (var note in run.Notes)
        {
            text.Append($"\n{CommandMarkdown.Escape(note)}\n");
        }

        return run.Problem is { } problem ? text.Append($"\n{CommandMarkdown.Escape(problem.Repeat)}\n").ToString() : text.ToString();
    }
}
