using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Dashboard.Contract;
using ClusterLlm.AppHost.Standalone;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Hosting;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>The dashboard's resource service: adapts the rows, the logs and the commands of this host.</summary>
internal sealed class ResourceGrpcService(
    ResourceFeed feed, IReadOnlyDictionary<string, ProcessLog> logs, CommandDesk commands, CommandDialogs dialogs, IHostApplicationLifetime lifetime)
    : DashboardService.DashboardServiceBase
{
    private const int MostLines = 500;

    public override Task<ApplicationInformationResponse> GetApplicationInformation(ApplicationInformationRequest request, ServerCallContext context) =>
        Task.FromResult(new ApplicationInformationResponse { ApplicationName = "ClusterLlm" });

    public override Task WatchResources(WatchResourcesRequest request, IServerStreamWriter<WatchResourcesUpdate> responseStream, ServerCallContext context) =>
        StreamAsync(context, async token =>
        {
            var (initial, changes) = feed.Subscribe();
            try
            {
                var all = new InitialResourceData();
                all.Resources.AddRange(initial);
                await responseStream.WriteAsync(new() { InitialData = all }, token);
                await foreach (var change in changes.ReadAllAsync(token))
                {
                    var batch = new WatchResourcesChanges { Value = { change } };
                    while (changes.TryRead(out var more))
                    {
                        batch.Value.Add(more);
                    }

                    await responseStream.WriteAsync(new() { Changes = batch }, token);
                }
            }
            finally
            {
                feed.Unsubscribe(changes);
            }
        });

    public override Task WatchResourceConsoleLogs(
        WatchResourceConsoleLogsRequest request, IServerStreamWriter<WatchResourceConsoleLogsUpdate> responseStream, ServerCallContext context) =>
        StreamAsync(context, async token =>
        {
            if (feed.ProcessOf(request.ResourceName) is not { } process || !logs.TryGetValue(process, out var log))
            {
                return;
            }

            if (request.SuppressFollow)
            {
                await responseStream.WriteAsync(Lines(log.Last(ProcessLog.KeptLines)), token);
                return;
            }

            var lines = new List<LogLine>();
            await foreach (var line in log.FollowAsync(token))
            {
                lines.Add(line);
                if (lines.Count == MostLines || line.Number >= log.Count)
                {
                    await responseStream.WriteAsync(Lines(lines), token);
                    lines.Clear();
                }
            }
        });

    public override async Task<ResourceCommandResponse> ExecuteResourceCommand(ResourceCommandRequest request, ServerCallContext context)
    {
        IReadOnlyDictionary<string, string?>? values = request.Arguments.ToDictionary(argument => argument.Key, argument => Text(argument.Value));
        if (values.Count == 0 && !request.NonInteractive && CommandDesk.Asks(request.CommandName) is { } command)
        {
            values = await dialogs.AskAsync(
                command,
                await commands.ArgumentsAsync(command, context.CancellationToken),
                (given, token) => commands.CheckAsync(command, given, token),
                context.CancellationToken);
            if (values is null)
            {
                return new() { Kind = ResourceCommandResponseKind.Cancelled };
            }
        }

        return await commands.RunAsync(request.CommandName, request.ResourceName, values, context.CancellationToken) is { } outcome
            ? Response(outcome)
            : throw new RpcException(new(StatusCode.NotFound, $"There is no command '{request.CommandName}' on '{request.ResourceName}'."));
    }

    public override Task WatchInteractions(
        IAsyncStreamReader<WatchInteractionsRequestUpdate> requestStream, IServerStreamWriter<WatchInteractionsResponseUpdate> responseStream, ServerCallContext context) =>
        StreamAsync(context, async token =>
        {
            var updates = dialogs.Connect();
            try
            {
                await context.WriteResponseHeadersAsync([]);
                var answers = AnswerAsync(requestStream, token);
                await foreach (var update in updates.ReadAllAsync(token))
                {
                    await responseStream.WriteAsync(update, token);
                }

                await answers;
            }
            finally
            {
                dialogs.Disconnect(updates);
            }
        });

    private async Task AnswerAsync(IAsyncStreamReader<WatchInteractionsRequestUpdate> requests, CancellationToken cancellationToken)
    {
        await foreach (var answer in requests.ReadAllAsync(cancellationToken))
        {
            dialogs.Answer(answer);
        }
    }

    /// <summary>A stream lasts until its dashboard goes or this host ends; both are no failure.</summary>
    private async Task StreamAsync(ServerCallContext context, Func<CancellationToken, Task> stream)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await stream(over.Token);
        }
        catch (Exception ended) when (over.IsCancellationRequested && ended is OperationCanceledException or IOException or InvalidOperationException)
        {
            context.Status = new(StatusCode.Unavailable, "The stream ended.");
        }
    }

    private static WatchResourceConsoleLogsUpdate Lines(IEnumerable<LogLine> lines)
    {
        var update = new WatchResourceConsoleLogsUpdate();
        update.LogLines.AddRange(lines.Select(line => new ConsoleLogLine { Text = line.Text, IsStdErr = line.IsError, LineNumber = (int)line.Number }));
        return update;
    }

    private static string? Text(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.StringValue => value.StringValue,
        Value.KindOneofCase.NumberValue => value.NumberValue.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Value.KindOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        _ => null,
    };

    private static ResourceCommandResponse Response(CommandOutcome outcome)
    {
        var response = new ResourceCommandResponse
        {
            Kind = outcome.Success ? ResourceCommandResponseKind.Succeeded
                : outcome.FieldErrors.IsEmpty ? ResourceCommandResponseKind.Failed : ResourceCommandResponseKind.InvalidArguments,
            Message = outcome.Message,
        };
        if (outcome.Markdown is { } markdown)
        {
            response.Result = new() { Value = markdown, Format = CommandResultFormat.Markdown, DisplayImmediately = true };
        }

        return response;
    }
}
