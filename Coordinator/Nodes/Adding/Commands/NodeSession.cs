using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClusterLlm.Coordinator.Nodes.Adding.Api;
using ClusterLlm.Coordinator.Nodes.Adding.Invitations;
using ClusterLlm.Coordinator.Nodes.Adding.Runs;

namespace ClusterLlm.Coordinator.Nodes.Adding.Commands;

/// <summary>Talks to the Coordinator for a command: starts a run, prints its steps, and asks the person for what is missing.</summary>
/// <param name="http">At the Coordinator's API; owned from now on.</param>
internal sealed class NodeSession(HttpClient http, NodeTerminal terminal) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    // A host key, a password, sudo's password: more questions than that have no end.
    private const int MostQuestions = 4;

    /// <returns>0 when it has succeeded, 1 when not.</returns>
    public async Task<int> RunAsync(string path, NodeAccessContract access, CancellationToken cancellationToken)
    {
        try
        {
            for (var question = 0; ; question++)
            {
                if (await CarryOutAsync(path, access, cancellationToken) is not { } run)
                {
                    return 1;
                }

                if (run.Problem is not { } problem)
                {
                    await terminal.Output.WriteLineAsync(run.Kind == NodeRunKind.Add ? $"{run.NodeId} is a node of the cluster." : $"{access.Target} is no node any more.");
                    return 0;
                }

                if (question == MostQuestions || Answered(access, problem) is not { } next)
                {
                    await terminal.Errors.WriteLineAsync($"{problem.Message}{Environment.NewLine}{problem.Repeat}");
                    return 1;
                }

                access = next;
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
        {
            return await NoAnswerAsync(e);
        }
    }

    /// <summary>Takes a node out without going to its machine.</summary>
    public async Task<int> ForgetAsync(string nodeId, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.DeleteAsync($"/api/nodes/{Uri.EscapeDataString(nodeId)}", cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                return await FailAsync(await ProblemAsync(response, cancellationToken));
            }

            await terminal.Output.WriteLineAsync($"{nodeId} is out of the cluster. Its agent is still on its machine: 'node remove user@host' deletes it.");
            return 0;
        }
        catch (HttpRequestException e)
        {
            return await NoAnswerAsync(e);
        }
    }

    /// <summary>Prints a command to paste on another machine.</summary>
    public async Task<int> InviteAsync(InvitationRequest request, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.PostAsJsonAsync("/api/invitations", request, Json, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                return await FailAsync(await ProblemAsync(response, cancellationToken));
            }

            var invitation = (await response.Content.ReadFromJsonAsync<InvitationContract>(Json, cancellationToken))!;
            await terminal.Output.WriteLineAsync(invitation.Command);
            await terminal.Errors.WriteLineAsync(
                $"Paste it on the machine ({string.Join(", ", invitation.Platforms)}) before {invitation.ExpiresAt:u}. It works once; 'token revoke {invitation.TokenId}' makes it worthless.");
            return 0;
        }
        catch (HttpRequestException e)
        {
            return await NoAnswerAsync(e);
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<NodeRun?> CarryOutAsync(string path, NodeAccessContract access, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync(path, access, Json, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Accepted)
        {
            await FailAsync(await ProblemAsync(response, cancellationToken));
            return null;
        }

        var run = (await response.Content.ReadFromJsonAsync<NodeRun>(Json, cancellationToken))!;
        var printer = new RunPrinter(terminal.Output);
        await using var events = await http.GetStreamAsync($"/api/node-runs/{run.Id}/events", cancellationToken);
        await foreach (var item in SseParser.Create(events).EnumerateAsync(cancellationToken))
        {
            run = JsonSerializer.Deserialize<NodeRun>(item.Data, Json)!;
            printer.Print(run);
        }

        if (run.State == NodeRunState.Running)
        {
            await FailAsync($"The Coordinator ended while {run.Host} was worked on. Run the same again when it is back.");
            return null;
        }

        return run;
    }

    /// <summary>The access with what the person was asked for; <see langword="null"/> when no answer would help, or nobody is there.</summary>
    private NodeAccessContract? Answered(NodeAccessContract access, NodeRunProblem problem)
    {
        switch (problem.Kind)
        {
            case "hostKeyUnknown" when access.HostKey is null && problem.HostKey is { } key:
                var question = $"{access.Target} shows the host key {key.Fingerprint} ({key.Type}). Is it the machine's? Compare there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub  [yes/no]";
                return terminal.Ask?.Invoke(question, false).Trim().ToLowerInvariant() is "yes" or "y" ? access with { HostKey = key.Fingerprint } : null;
            case "notAuthenticated" when access.Password is null:
                return terminal.Ask?.Invoke($"Password for {access.Target}:", true) is { Length: > 0 } password ? access with { Password = password, KeyFile = null } : null;
            case StepFailedException.NeedsRoot when access.SudoPassword is null && !access.UserService:
                return terminal.Ask?.Invoke($"Password for sudo on {access.Target} (empty: a service of the account only):", true) is not { } sudo ? null
                    : sudo.Length > 0 ? access with { SudoPassword = sudo }
                    : access with { UserService = true };
            default:
                return null;
        }
    }

    private Task<int> NoAnswerAsync(Exception exception) =>
        FailAsync($"The Coordinator at {http.BaseAddress} does not answer: {exception.Message} Is it running? --api says where it is.");

    private async Task<int> FailAsync(string message)
    {
        await terminal.Errors.WriteLineAsync(message);
        return 1;
    }

    private static async Task<string> ProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            var body = JsonSerializer.Deserialize<JsonElement>(text);
            return body.TryGetProperty("errors", out var errors)
                ? string.Join(' ', errors.EnumerateObject().SelectMany(field => field.Value.EnumerateArray()).Select(one => one.GetString()))
                : body.GetProperty("detail").GetString() ?? text;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return $"The Coordinator answered {(int)response.StatusCode}: {text}";
        }
    }
}

/// <summary>Prints each step once when it begins, and once when it has ended.</summary>
internal sealed class RunPrinter(TextWriter output)
{
    private readonly Dictionary<string, (StepState State, string? Detail)> _printed = new(StringComparer.Ordinal);
    private int _notes;

    public void Print(NodeRun run)
    {
        foreach (var step in run.Steps.Where(step => step.State != StepState.Waiting))
        {
            // Of a running step only the beginning and changed words are news, not each percent.
            if (_printed.TryGetValue(step.Name, out var before) && before == (step.State, step.Detail))
            {
                continue;
            }

            _printed[step.Name] = (step.State, step.Detail);
            output.WriteLine(step.State switch
            {
                StepState.Running => $"… {step.Title}{(step.Detail is null ? "" : $": {step.Detail}")}",
                StepState.Done => $"✓ {step.Title}: {step.Detail}",
                _ => $"✗ {step.Title}",
            });
        }

        foreach (var note in run.Notes.Skip(_notes))
        {
            output.WriteLine($"  note: {note}");
            _notes++;
        }
    }
}
