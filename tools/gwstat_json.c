/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Usage as JSON. */
#include "gwstat.h"
#include "view.h"

static void put_amounts(struct json *j, const struct usage_look *look, const struct counters *c,
			const struct rates *r)
{
	if (look->rate)
		view_json_rates(j, r);
	else
		view_json_counters(j, c);
}

void usage_json_begin(struct json *j, const struct usage_look *look)
{
	json_begin_object(j, NULL);
	if (!look->total_only)
		json_begin_array(j, "containers");
}

void usage_json_container(struct json *j, const char *name)
{
	json_begin_object(j, NULL);
	json_string(j, "container", name);
	json_begin_array(j, "routes");
}

void usage_json_route(struct json *j, const struct usage_look *look, const struct reading *r)
{
	json_begin_object(j, NULL);
	view_json_name(j, r->container, r->cport, r->protocol, r->kind, &r->public);
	json_string(j, "state", r->state);
	json_bool(j, "in_kernel", r->in_kernel);
	json_int(j, "opened_at", r->opened_at);
	put_amounts(j, look, &r->total, &r->rates);
	json_end_object(j);
}

void usage_json_container_end(struct json *j, const struct usage_look *look, const struct closed_usage *closed,
			      const struct container_sum *sum)
{
	json_end_array(j);
	if (!look->rate) {
		json_begin_object(j, "closed");
		json_uint(j, "routes", closed->n);
		view_json_counters(j, &closed->sum);
		json_end_object(j);
	}
	json_begin_object(j, "total");
	put_amounts(j, look, &sum->total, &sum->rates);
	json_end_object(j);
	json_end_object(j);
}

void usage_json_end(struct json *j, const struct usage_look *look, const struct usage *u)
{
	if (!look->total_only)
		json_end_array(j);
	if (u->n_more > 0)
		json_uint(j, "containers_left_out", u->n_more);
	json_begin_object(j, "total");
	put_amounts(j, look, &u->total, &u->rates);
	json_end_object(j);
	json_bool(j, "counting", u->counting);
	uncertain_json(j, &u->uncertain);
	json_end_object(j);
}

static void put_container(struct json *j, const struct usage_look *look, const struct container_usage *c)
{
	static const struct closed_usage none;
	const struct container_sum sum = container_sum(c);

	usage_json_container(j, c->name);
	for (size_t i = 0; i < c->n_routes; i++)
		usage_json_route(j, look, &c->routes[i]);
	usage_json_container_end(j, look, c->closed ? c->closed : &none, &sum);
}

int usage_print_json(struct err *e, FILE *out, const struct usage *u, const struct usage_look *look)
{
	struct json *j = json_new(out);

	if (!j)
		return err_set(e, ENOMEM, "out of memory");
	usage_json_begin(j, look);
	for (size_t i = 0; !look->total_only && i < u->n_containers; i++)
		put_container(j, look, &u->containers[i]);
	usage_json_end(j, look, u);
	json_free(j);
	return 0;
}
