// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The memory stream, from a RAM file through the sampler to a viewer that keeps the picture.
#include "serve/live_private.h"
#include "serve/record.h"
#include "serve/stream.h"

#include "base/clock.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FRAMES 200
#define WAIT_NS (10 * GB_SECOND)

// A viewer: parses what it gets, keeps the picture.
struct viewer {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint8_t picture[FRAMES][GB_PAGE_SIZE];
	unsigned sent[FRAMES]; // how often each frame came with bytes
	unsigned owners, ticks, ends, zeros, records;
	uint32_t first_kind, flags;
	bool closed_chunks; // the last chunk came
	bool blocked;       // do not take anything
	bool asleep;        // in that
	bool bad;
	char end[200];
};

struct world {
	int fd;
	struct gb_ram *ram;
	struct gb_live *live;
	struct viewer viewer;
	pthread_t thread;
	bool exited; // of the guest
};

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void on_frames(struct viewer *v, const uint8_t *payload, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = get_u32(payload + 4 * i);

		if (index >= FRAMES) {
			v->bad = true;
			return;
		}
		memcpy(v->picture[index], payload + 4 * count + i * GB_PAGE_SIZE, GB_PAGE_SIZE);
		v->sent[index]++;
	}
}

static void on_zero(struct viewer *v, const uint8_t *payload, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		memset(v->picture[get_u32(payload + 4 * i) % FRAMES], 0, GB_PAGE_SIZE);
	v->zeros += count;
}

static void on_record(struct viewer *v, const uint8_t *record, size_t len)
{
	uint32_t kind = get_u32(record), count = get_u32(record + 4);
	uint64_t bytes = get_u32(record + 16);
	const uint8_t *payload = record + GB_RECORD_HEADER;

	v->bad |= bytes + GB_RECORD_HEADER != len || bytes % 4;
	if (v->bad)
		return;
	if (v->records++ == 0)
		v->first_kind = kind;
	if (kind == GB_RECORD_OWNERS) {
		v->owners++;
		v->bad |= count != FRAMES || bytes != gb_record_owners_bytes(FRAMES);
	} else if (kind == GB_RECORD_FRAMES) {
		v->bad |= bytes != gb_record_frames_bytes(count);
		on_frames(v, payload, v->bad ? 0 : count);
	} else if (kind == GB_RECORD_ZERO) {
		on_zero(v, payload, count);
	} else if (kind == GB_RECORD_TICK) {
		v->ticks++;
		v->flags = get_u32(payload + 12);
	} else if (kind == GB_RECORD_END) {
		v->ends++;
		snprintf(v->end, sizeof(v->end), "%.*s", (int)count, (const char *)payload);
	} else {
		v->bad = true;
	}
}

// Each write is one whole chunk.
static bool take(void *arg, const void *bytes, size_t len)
{
	struct viewer *v = arg;
	const uint8_t *p = bytes;
	char *end;
	size_t size, head;

	pthread_mutex_lock(&v->lock);
	while (v->blocked) {
		v->asleep = true;
		pthread_cond_broadcast(&v->changed);
		pthread_cond_wait(&v->changed, &v->lock);
	}
	v->asleep = false;
	size = strtoul(bytes, &end, 16);
	head = (size_t)((const uint8_t *)end - p) + 2;
	v->bad |= memcmp(end, "\r\n", 2) != 0 || head + size + 2 != len ||
		  memcmp(p + len - 2, "\r\n", 2) != 0;
	if (!v->bad && size)
		on_record(v, p + head, size);
	else
		v->closed_chunks = true;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
	return true;
}

static void *run_stream(void *arg)
{
	struct world *w = arg;

	gb_stream_run(w->live, w->ram, take, &w->viewer, NULL);
	return NULL;
}

static int state(void *arg, struct gb_serve_state *ret, struct gb_error *err)
{
	struct world *w = arg;
	bool exited = __atomic_load_n(&w->exited, __ATOMIC_ACQUIRE);

	(void)err;
	*ret = (struct gb_serve_state){.running = !exited, .exited = exited};
	return 0;
}

static void set_frame(struct world *w, unsigned frame, uint8_t value)
{
	uint8_t page[GB_PAGE_SIZE];

	memset(page, value, sizeof(page));
	if (pwrite(w->fd, page, sizeof(page), frame * (off_t)GB_PAGE_SIZE) != (ssize_t)sizeof(page))
		abort();
}

static bool open_world(struct world *w)
{
	struct gb_live_options o = {.vm = {.arg = w, .state = state}};
	struct gb_error err = {};
	pthread_condattr_t attr;

	*w = (struct world){.fd = memfd_create("ram", MFD_CLOEXEC)};
	pthread_mutex_init(&w->viewer.lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->viewer.changed, &attr);
	if (ftruncate(w->fd, FRAMES * (off_t)GB_PAGE_SIZE) != 0)
		abort();
	set_frame(w, 3, 0x33);
	set_frame(w, 4, 0x44);
	set_frame(w, 100, 0); // data in the file, zeros all the same
	set_frame(w, 199, 0x99);
	CHECK_OK(gb_ram_open_fd(w->fd, NULL, &w->ram, &err), err);
	o.ram = w->ram;
	CHECK_OK(gb_live_start(&o, &w->live, &err), err);
	return w->live && pthread_create(&w->thread, NULL, run_stream, w) == 0;
}

static void close_world(struct world *w)
{
	gb_live_quit(w->live);
	pthread_join(w->thread, NULL);
	gb_live_stop(w->live);
	gb_ram_close(w->ram);
	close(w->fd);
	pthread_cond_destroy(&w->viewer.changed);
	pthread_mutex_destroy(&w->viewer.lock);
}

// Wait for a condition on the viewer; reports when it does not come.
typedef bool condition(struct world *w);

static void await(struct world *w, condition *is, const char *what)
{
	uint64_t until = gb_clock_ns() + WAIT_NS;
	struct timespec t = {.tv_sec = (time_t)(until / GB_SECOND),
			     .tv_nsec = (long)(until % GB_SECOND)};
	bool came, bad;

	pthread_mutex_lock(&w->viewer.lock);
	while (!(came = is(w)) && gb_clock_ns() < until)
		pthread_cond_timedwait(&w->viewer.changed, &w->viewer.lock, &t);
	bad = w->viewer.bad;
	pthread_mutex_unlock(&w->viewer.lock);
	if (!came)
		tap_fail_("never came: %s", what);
	CHECK(!bad);
}

static bool is_complete(struct world *w)
{
	return w->viewer.flags & GB_TICK_COMPLETE;
}

static bool picture_is_ram(struct world *w)
{
	uint8_t page[GB_PAGE_SIZE];

	for (unsigned i = 0; i < FRAMES; i++) {
		if (pread(w->fd, page, sizeof(page), i * (off_t)GB_PAGE_SIZE) != sizeof(page))
			abort();
		if (memcmp(page, w->viewer.picture[i], sizeof(page)) != 0)
			return false;
	}
	return true;
}

static bool has_ended(struct world *w)
{
	return w->viewer.closed_chunks;
}

static void first_picture(void)
{
	static struct world w;

	REQUIRE(open_world(&w));
	await(&w, is_complete, "the complete picture");
	CHECK(picture_is_ram(&w));
	CHECK_EQ(w.viewer.first_kind, GB_RECORD_OWNERS);
	CHECK_EQ(w.viewer.sent[3], 1);
	CHECK_EQ(w.viewer.sent[100], 0); // zeros are what a picture starts from
	CHECK_EQ(w.viewer.zeros, 0);
	close_world(&w);
}

static void changes_arrive(void)
{
	static struct world w;

	REQUIRE(open_world(&w));
	await(&w, is_complete, "the complete picture");
	set_frame(&w, 50, 0x50); // a new extent
	set_frame(&w, 4, 0x45);
	await(&w, picture_is_ram, "two changed frames");
	CHECK_EQ(w.viewer.zeros, 0);
	set_frame(&w, 4, 0);
	await(&w, picture_is_ram, "a frame that became zero");
	CHECK_EQ(w.viewer.zeros, 1);
	if (fallocate(w.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 50 * (off_t)GB_PAGE_SIZE,
		      GB_PAGE_SIZE) != 0)
		abort();
	await(&w, picture_is_ram, "a frame that became a hole");
	CHECK_EQ(w.viewer.zeros, 2);
	CHECK_EQ(w.viewer.sent[3], 1);
	close_world(&w);
}

static struct gb_live_beat beat_of(struct world *w)
{
	struct gb_live_beat b;

	gb_live_beat(w->live, &b);
	return b;
}

static void next_scans(struct world *w, unsigned n)
{
	uint64_t scans = beat_of(w).scans, until = gb_clock_ns() + WAIT_NS;

	while (beat_of(w).scans < scans + n && gb_clock_ns() < until)
		sched_yield();
}

static void set_blocked(struct world *w, bool blocked)
{
	pthread_mutex_lock(&w->viewer.lock);
	w->viewer.blocked = blocked;
	pthread_cond_broadcast(&w->viewer.changed);
	pthread_mutex_unlock(&w->viewer.lock);
}

// Frames that change while the viewer sleeps are sent once, as they are in the end.
static void slow_viewer(void)
{
	static struct world w;
	unsigned before;

	REQUIRE(open_world(&w));
	await(&w, is_complete, "the complete picture");
	before = w.viewer.sent[3];
	set_blocked(&w, true);
	for (unsigned i = 1; i <= 5; i++) {
		set_frame(&w, 3, (uint8_t)i);
		next_scans(&w, 2);
	}
	set_blocked(&w, false);
	await(&w, picture_is_ram, "the newest state");
	// One may have been on its way when the viewer fell asleep.
	CHECK(w.viewer.sent[3] - before <= 2);
	close_world(&w);
}

static bool is_asleep(struct world *w)
{
	return w->viewer.asleep;
}

static bool has_33(struct world *w)
{
	return w->viewer.picture[7][0] == 0x33;
}

// The scans see a frame only as 0x22, the viewer gets it in between as 0x33. No scan notices a
// change, and still the viewer must get it as it is.
static void change_and_back_between_scans(void)
{
	static struct world w;
	struct gb_watcher watcher = {.rate_hz = 0.01};

	REQUIRE(open_world(&w));
	await(&w, is_complete, "the complete picture");
	set_blocked(&w, true);
	set_frame(&w, 3, 0x34);
	await(&w, is_asleep, "a viewer who sleeps");
	set_frame(&w, 7, 0x22);
	next_scans(&w, 2);
	gb_live_watch(w.live, &watcher); // from now on no scan
	set_frame(&w, 7, 0x33);
	set_blocked(&w, false);
	await(&w, has_33, "the frame as no scan saw it");
	set_frame(&w, 7, 0x22);
	gb_live_set_rate(w.live, &watcher, 30);
	await(&w, picture_is_ram, "the frame as it is in the end");
	gb_live_unwatch(w.live, &watcher);
	close_world(&w);
}

// What the guest wrote last is still shown, then the stream says that and why it ends.
static void end_of_guest(void)
{
	static struct world w;
	struct gb_watcher watcher = {.rate_hz = 0.01}; // no scan comes but the last one

	REQUIRE(open_world(&w));
	await(&w, is_complete, "the complete picture");
	gb_live_watch(w.live, &watcher);
	set_frame(&w, 9, 0x99);
	__atomic_store_n(&w.exited, true, __ATOMIC_RELEASE);
	await(&w, has_ended, "the end");
	CHECK(picture_is_ram(&w));
	CHECK_EQ(w.viewer.ends, 1);
	CHECK_STR(w.viewer.end, "the guest has stopped");
	gb_live_unwatch(w.live, &watcher);
	close_world(&w);
}

struct told {
	struct world *world;
	struct gb_watcher watcher;
};

// A control channel: tells the newest state to its viewer.
static void *tell(void *arg)
{
	struct told *t = arg;
	struct gb_live_beat b;

	do {
		sched_yield();
		b = beat_of(t->world);
	} while (!b.ended);
	gb_live_told(t->world->live, &t->watcher, b.state_version);
	return NULL;
}

// Who knows how QEMU ended says so: everybody was told when gb_live_finish() returns.
static void told_end_of_guest(void)
{
	static struct world w;
	struct gb_serve_state killed = {.exited = true, .exit_signal = 9};
	struct told t = {.world = &w};
	pthread_t teller;
	uint64_t start;

	REQUIRE(open_world(&w));
	await(&w, is_complete, "the complete picture");
	gb_live_watch(w.live, &t.watcher);
	REQUIRE(pthread_create(&teller, NULL, tell, &t) == 0);
	set_frame(&w, 9, 0x99);
	start = gb_clock_ns();
	gb_live_finish(w.live, &killed, WAIT_NS);
	CHECK(gb_clock_ns() - start < WAIT_NS);
	CHECK_EQ(t.watcher.told, beat_of(&w).state_version);
	CHECK(w.viewer.closed_chunks);
	CHECK(picture_is_ram(&w));
	CHECK_STR(w.viewer.end, "the guest has stopped: QEMU was killed by signal 9 (Killed)");
	CHECK_EQ(beat_of(&w).state.exit_signal, 9);
	pthread_join(teller, NULL);
	gb_live_unwatch(w.live, &t.watcher);
	close_world(&w);
}

// A viewer who takes nothing does not hold up the end for longer than that.
static void end_beside_a_sleeper(void)
{
	static struct world w;
	struct gb_serve_state ended = {.exited = true,
				       .exit_signal = 9,
				       .exit_why = "QEMU did not end in time"};
	uint64_t start;

	REQUIRE(open_world(&w));
	await(&w, is_complete, "the complete picture");
	set_blocked(&w, true);
	set_frame(&w, 3, 0x34);
	await(&w, is_asleep, "a viewer who sleeps");
	start = gb_clock_ns();
	gb_live_finish(w.live, &ended, 50 * GB_MS);
	CHECK(gb_clock_ns() - start >= 50 * GB_MS);
	CHECK(gb_clock_ns() - start < WAIT_NS);
	set_blocked(&w, false);
	await(&w, has_ended, "the end");
	CHECK_STR(w.viewer.end, "the guest has stopped: QEMU did not end in time");
	close_world(&w);
}

// A control channel that has not yet told its viewer is waited for, too.
static void end_before_it_is_told(void)
{
	static struct world w;
	struct gb_serve_state ended = {.exited = true, .has_exit_status = true};
	struct gb_watcher watcher = {};
	uint64_t start;

	REQUIRE(open_world(&w));
	await(&w, is_complete, "the complete picture");
	gb_live_watch(w.live, &watcher);
	start = gb_clock_ns();
	gb_live_finish(w.live, &ended, 50 * GB_MS);
	CHECK(gb_clock_ns() - start >= 50 * GB_MS);
	await(&w, has_ended, "the end");
	CHECK_STR(w.viewer.end, "the guest has stopped: QEMU exited with status 0");
	gb_live_unwatch(w.live, &watcher);
	close_world(&w);
}

static void cores_are_left_to_the_guest(void)
{
	CHECK_EQ(gb_live_scan_cores(8, 2), 6);
	CHECK_EQ(gb_live_scan_cores(2, 1), 1);
	CHECK_EQ(gb_live_scan_cores(2, 2), 1);
	CHECK_EQ(gb_live_scan_cores(1, 64), 1);
	CHECK_EQ(gb_live_scan_cores(8, 0), 8); // a file
}

static void shrinking_file(void)
{
	static struct world w;

	REQUIRE(open_world(&w));
	await(&w, is_complete, "the complete picture");
	if (ftruncate(w.fd, 4096) != 0)
		abort();
	await(&w, has_ended, "the end");
	CHECK_EQ(w.viewer.ends, 1);
	CHECK(w.viewer.end[0] != 0);
	CHECK_EQ(w.viewer.picture[3][0], 0x33); // the last picture stays
	close_world(&w);
}

TAP_MAIN(TAP_CASE(first_picture), TAP_CASE(changes_arrive), TAP_CASE(slow_viewer),
	 TAP_CASE(change_and_back_between_scans), TAP_CASE(end_of_guest),
	 TAP_CASE(told_end_of_guest), TAP_CASE(end_beside_a_sleeper),
	 TAP_CASE(end_before_it_is_told), TAP_CASE(cores_are_left_to_the_guest),
	 TAP_CASE(shrinking_file))
