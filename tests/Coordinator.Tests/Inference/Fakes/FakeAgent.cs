using System.Threading.Channels;
using ClusterLlm.Protos.V1;
using ClusterLlm.Testing;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Coordinator.Tests.Inference.Fakes;

/// <summary>What a fake agent does with a request: reads it, writes events, returns or throws.</summary>
internal delegate Task AgentScript(GenerateRequest request, IServerStreamWriter<GenerateEvent> events, CancellationToken cancelled);

/// <summary>An agent's <c>InferenceService</c> on a real socket, whose answers a test writes down.</summary>
internal sealed class FakeAgent : IAsyncDisposable
{
    private const string NodeId = "node-1";

    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;
    private readonly Channel<GenerateRequest> _received = Channel.CreateUnbounded<GenerateRequest>();

    private FakeAgent(WebApplication app, GrpcChannel channel) => (_app, _channel) = (app, channel);

    public AgentScript Script { get; set; } = Answers.Text("Hello", " from", " demo.");

    public CallInvoker Invoker => _channel.CreateCallInvoker();

    /// <summary>Completes when a call was cancelled by the gateway.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<FakeAgent> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => TestAuthority.Listen(kestrel, TestAuthority.Shared.Credentials(NodeId)));
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = 64 * 1024 * 1024);
        builder.Services.AddSingleton<Holder>();
        var app = builder.Build();
        app.MapGrpcService<Service>();
        await app.StartAsync(cancellationToken);
        var agent = new FakeAgent(app, TestAuthority.Shared.Channel(new Uri(app.Urls.Single()), NodeId));
        app.Services.GetRequiredService<Holder>().Agent = agent;
        // The connection is made now: a first handshake on a busy machine takes longer than some tests' keep-alive interval.
        await Assert.ThrowsAsync<RpcException>(async () => await new NodeService.NodeServiceClient(agent._channel).DescribeAsync(new DescribeRequest(), cancellationToken: cancellationToken));
        return agent;
    }

    public ValueTask<GenerateRequest> NextRequestAsync(CancellationToken cancellationToken) => _received.Reader.ReadAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _app.DisposeAsync();
    }

    private sealed class Holder
    {
        public FakeAgent Agent { get; set; } = null!;
    }

    private sealed class Service(Holder holder) : InferenceService.InferenceServiceBase
    {
        public override async Task Generate(GenerateRequest request, IServerStreamWriter<GenerateEvent> responseStream, ServerCallContext context)
        {
            await holder.Agent._received.Writer.WriteAsync(request, context.CancellationToken);
            using var noted = context.CancellationToken.Register(() => holder.Agent.Cancelled.TrySetResult());
            await holder.Agent.Script(request, responseStream, context.CancellationToken);
        }
    }
}

/// <summary>Scripts for common answers.</summary>
internal static class Answers
{
    public static GenerateFinished Finished(string reason = "stop") =>
        new() { FinishReason = reason, PromptTokens = 12, CachedTokens = 5, CompletionTokens = 4 };

    public static GenerateEvent Chunk(string json) => new() { Chunk = new() { Json = ByteString.CopyFromUtf8(json), TokenCount = 1 } };

    public static GenerateEvent Delta(string delta, string finishReason = "null") => Chunk(
        $$"""{"id":"from-agent","object":"chat.completion.chunk","created":1,"model":"/models/demo","choices":[{"index":0,"delta":{{delta}},"finish_reason":{{finishReason}}}]}""");

    /// <summary>Answers either kind of request with these pieces of text.</summary>
    public static AgentScript Text(params string[] pieces) => async (request, events, _) =>
    {
        var chat = request.Kind == RequestKind.ChatCompletion;
        if (chat)
        {
            await events.WriteAsync(Delta("""{"role":"assistant","content":""}"""), CancellationToken.None);
        }

        foreach (var piece in pieces)
        {
            await events.WriteAsync(chat ? Delta($$"""{"content":"{{piece}}"}""") : TextChunk(piece, "null"), CancellationToken.None);
        }

        await events.WriteAsync(chat ? Delta("{}", "\"stop\"") : TextChunk("", "\"stop\""), CancellationToken.None);
        await events.WriteAsync(new() { Finished = Finished() }, CancellationToken.None);
    };

    /// <summary>These events, then the end of the stream.</summary>
    public static AgentScript Events(params GenerateEvent[] script) => async (_, events, _) =>
    {
        foreach (var step in script)
        {
            await events.WriteAsync(step, CancellationToken.None);
        }
    };

    public static AgentScript Error(uint status, string message, string param = "", string code = "") =>
        Events(new GenerateEvent { Error = new() { Status = status, Message = message, Param = param, Code = code } });

    private static GenerateEvent TextChunk(string text, string finishReason) => Chunk(
        $$"""{"id":"x","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"{{text}}","logprobs":null,"finish_reason":{{finishReason}}}]}""");
}
